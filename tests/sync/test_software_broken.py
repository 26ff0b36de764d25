"""A list that breaks off, and what in it cannot be used: nothing is lost, and it is said."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models.runs.sync_run import RunStatus
from portal.services.runs.history import list_errors
from tests.support.databases import IS_DEEP
from tests.support.msp import Msp, counted
from tests.sync.software import entry, ingest, installed, reporting, titles

pytestmark = pytest.mark.mainly("postgresql")

BROKEN: list[dict[str, Any]] = [
    {"kind": kind, "size": size} for size in (1, 40, 900, 4000) for kind in
    ("truncated", "reset", "cut_json")
] + [{"kind": kind} for kind in ("truncated", "reset", "cut_json")]  # fmt: skip
TRIED = BROKEN if IS_DEEP else [*BROKEN[:12:4], *BROKEN[-3:]]
"""`make test-deep` tries each kind at each size. 4,000 is tried below."""


def words(fault: dict[str, Any]) -> str:
    return "-".join(str(value) for value in fault.values())


@pytest.mark.one_database
@pytest.mark.parametrize("fault", TRIED, ids=words)
def test_what_came_before_a_break_is_kept_and_nothing_is_removed(
    msp: Msp, fault: dict[str, Any]
) -> None:
    keep_what_came_before(msp, fault)


def test_so_it_is_on_both_databases(msp: Msp) -> None:
    keep_what_came_before(msp, {"kind": "truncated", "size": 4000})


def keep_what_came_before(msp: Msp, fault: dict[str, Any]) -> None:
    msp.import_fleet()
    ingest(msp)
    before = {agent_id: installed(msp, agent_id) for agent_id in msp.agents}
    empty, *others = reporting(msp)
    msp.tactical.control.software.set(empty, [])
    for agent_id in others:
        msp.tactical.control.software.install(agent_id, name="New", version="7")
    msp.tactical.control.faults.add(path="/software/", times=None, **fault)
    run = ingest(msp)
    assert run.status is RunStatus.FAILED
    assert run.error
    assert run.removed == 0
    assert any("broke off" in text for text in list_errors(run.id))
    after = {agent_id: installed(msp, agent_id) for agent_id in msp.agents}
    new = {("New", "7")}
    assert all(after[each] in (before[each], before[each] | new) for each in msp.agents)
    assert sum(after[each] != before[each] for each in msp.agents) == run.created
    counts = [numbers for (name, _), numbers in titles().items() if name == "New"]
    assert counts == ([(run.created, 1)] if run.created else [])
    msp.tactical.control.faults.clear()
    whole = ingest(msp)
    assert whole.status is RunStatus.SUCCESS
    assert whole.created == len(others) - run.created
    assert whole.removed == len(before[empty])


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html"},
        {"kind": "empty"},
        {"kind": "json", "body": {"detail": "no"}},
        {"kind": "json", "body": "no"},
        {"kind": "json", "body": None},
        {"kind": "status", "status": 500},
        {"kind": "drop"},
        {"kind": "redirect"},
    ],
    ids=words,
)
def test_another_answer_fails_and_changes_nothing(msp: Msp, fault: dict[str, Any]) -> None:
    msp.import_fleet()
    ingest(msp)
    before = {agent_id: installed(msp, agent_id) for agent_id in msp.agents}
    msp.tactical.control.faults.add(path="/software/", times=None, **fault)
    run = ingest(msp)
    assert run.status is RunStatus.FAILED
    assert run.error
    assert counted(run) == {}
    assert {agent_id: installed(msp, agent_id) for agent_id in msp.agents} == before


@pytest.mark.one_database
def test_a_bad_entry_costs_itself_and_keeps_what_it_may_have_been(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    software = msp.tactical.control.software
    software.set(agent_id, [entry("A"), entry("B")])
    msp.import_fleet()
    ingest(msp)
    bad: list[Any] = [17, None, "B", ["B"], {}, {"name": None}, {"name": True}]
    software.set(agent_id, [entry("A"), *bad, entry("C")])
    run = ingest(msp)
    assert run.status is RunStatus.PARTIAL
    assert (run.failed, run.created, run.removed) == (len(bad), 1, 0)
    assert installed(msp, agent_id) == {("A", "1.0"), ("B", "1.0"), ("C", "1.0")}
    [log] = msp.log(run, "failed")
    assert log.external_id == agent_id
    assert "7 times" in str(log.reason)


def test_a_name_or_version_that_is_a_number_is_that_number(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    listed: list[Any] = [{"name": 7, "version": 22.5}, entry("Seven", "22")]
    msp.tactical.control.software.set(agent_id, listed)
    msp.import_fleet()
    assert ingest(msp).status is RunStatus.SUCCESS
    assert installed(msp, agent_id) == {("7", "22.5"), ("Seven", "22")}


def test_an_entry_without_a_name_is_told_of_and_hides_nothing(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    software = msp.tactical.control.software
    software.set(agent_id, [entry("A"), entry("B")])
    msp.import_fleet()
    ingest(msp)
    software.set(agent_id, [entry("A"), entry(""), entry("Not Found")])
    run = ingest(msp)
    assert (run.status, run.skipped, run.removed) == (RunStatus.SUCCESS, 2, 1)
    assert [log.reason for log in msp.log(run, "note")] == ["Ignored 2 entries without a name."]
    software.set(agent_id, [entry("")])
    assert ingest(msp).removed == 0
    assert installed(msp, agent_id) == {("A", "1.0")}


@pytest.mark.one_database
def test_a_bad_row_costs_itself(msp: Msp) -> None:
    msp.import_fleet()
    ingest(msp)
    rows = [
        {"at": 0, "set": {"agent": None}},
        {"at": 1, "drop": ["software"]},
        {"at": 2, "set": {"software": "none"}},
        {"at": 3, "value": "no row"},
        {"at": 4, "set": {"agent": True}},
        {"at": 5, "set": {"agent": -5}},
        {"at": 6, "set": {"agent": 2**70}},
    ]
    msp.tactical.control.faults.add("bad_rows", "/software/", rows=rows)
    run = ingest(msp)
    assert run.status is RunStatus.PARTIAL
    assert run.failed == len(rows) - 1  # no agent has so great a number: it is skipped
    assert run.removed == run.created == 0
    assert run.skipped > 0
    assert len(msp.log(run, "failed")) == len(rows) - 1


def test_a_second_list_of_an_agent_is_told_of(msp: Msp) -> None:
    msp.import_fleet()
    ingest(msp)
    [one, *_] = sorted(msp.truth(agent_id)["pk"] for agent_id in reporting(msp))
    msp.tactical.control.faults.add(
        "bad_rows", "/software/", rows=[{"at": 1, "set": {"agent": one, "software": []}}]
    )
    run = ingest(msp)
    assert (run.failed, run.removed) == (1, 0)
