"""Lists of software become installs; what is gone is noted, what comes back is there again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import Asset
from portal.models.runs.sync_run import RunStatus
from portal.services.organizations import mapping
from tests.support.msp import Msp, counted
from tests.sync.software import entry, ingest, installed, reporting, rows_of, titles

pytestmark = pytest.mark.mainly("postgresql")


def read_at(agent_id: str) -> object:
    found = db.session.scalar(select(Asset.software_read_at).filter_by(rmm_device_id=agent_id))
    db.session.rollback()
    return found


def test_every_list_becomes_installs(msp: Msp) -> None:
    msp.import_fleet()
    run = ingest(msp)
    assert (run.status, run.error) == (RunStatus.SUCCESS, None)
    for agent_id, entries in msp.tactical.control.truth.software().items():
        expected = {
            (e["name"], None if e["version"] == "Not Found" else e["version"])
            for e in entries or []
        }
        assert installed(msp, agent_id) == expected
    seen = run.counts["seen"]
    assert counted(run) == {"seen": seen, "created": seen}
    assert len(msp.log(run, "updated")) == len(reporting(msp))


@pytest.mark.one_database
def test_running_again_changes_nothing(msp: Msp) -> None:
    msp.import_fleet()
    seen = ingest(msp).counts["seen"]
    before = [rows_of(msp, agent_id) for agent_id in msp.agents]
    again = ingest(msp)
    assert counted(again) == {"seen": seen, "unchanged": seen}
    assert msp.log(again) == []
    assert [rows_of(msp, agent_id) for agent_id in msp.agents] == before


@pytest.mark.one_database
def test_only_the_list_of_software_is_asked_for_and_no_agent_is_made_to_report(msp: Msp) -> None:
    msp.import_fleet()
    msp.tactical.control.log.clear()
    ingest(msp)
    asked = [(r.method, r.path) for r in msp.tactical.control.log.entries()]
    assert sorted(asked) == [("GET", "/agents/"), ("GET", "/software/")]


@pytest.mark.one_database
def test_a_title_that_is_gone_is_removed_and_may_come_back(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    software = msp.tactical.control.software
    software.set(agent_id, [entry("A"), entry("B", install_date="2020-02-03 00:00:00 +0000 UTC")])
    msp.import_fleet()
    ingest(msp)
    first = {row["name"]: row for row in rows_of(msp, agent_id)}
    begun = utc_now()
    software.uninstall(agent_id, "B")
    run = ingest(msp)
    assert (run.removed, run.created, run.updated) == (1, 0, 0)
    gone = {row["name"]: row for row in rows_of(msp, agent_id)}
    assert gone["A"] == first["A"]
    assert gone["B"]["removed_at"] >= begun.isoformat()[:19]
    assert [e.reason for e in msp.log(run)] == ["Software: 1 removed."]
    assert ingest(msp).removed == 0
    software.install(agent_id, name="B", version="1.0")
    back = ingest(msp)
    assert (back.updated, back.created) == (1, 0)
    assert {row["name"]: row for row in rows_of(msp, agent_id)} == first


def test_versions_of_a_title_are_kept_apart_and_counted(msp: Msp) -> None:
    one, other = reporting(msp)[:2]
    msp.tactical.control.software.set(one, [entry("Zed", "1"), entry("Zed", "2")])
    msp.tactical.control.software.set(other, [entry("ZED", "2")])
    msp.import_fleet()
    ingest(msp)
    assert {(name.lower(), version) for name, version in installed(msp, one)} == {
        ("zed", "1"),
        ("zed", "2"),
    }
    counts = [numbers for (name, _), numbers in titles().items() if name.lower() == "zed"]
    assert counts == [(2, 2)]
    msp.tactical.control.software.set(one, [entry("Other")])
    ingest(msp)
    counts = [numbers for (name, _), numbers in titles().items() if name.lower() == "zed"]
    assert counts == [(1, 1)]


def test_a_new_date_is_taken_over_and_a_lost_one_kept(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    software = msp.tactical.control.software
    dated = {"publisher": "Zed", "install_date": "2020-02-03 00:00:00 +0000 UTC"}
    software.set(agent_id, [entry("A", **dated)])
    msp.import_fleet()
    ingest(msp)
    software.set(agent_id, [entry("A", **dated | {"install_date": "2021-02-03 00:00:00"})])
    assert ingest(msp).updated == 1
    assert [row["installed_on"] for row in rows_of(msp, agent_id)] == ["2021-02-03"]
    unknown = "0001-01-01 00:00:00 +0000 UTC"
    software.set(agent_id, [entry("A", **dated | {"install_date": unknown})])
    assert ingest(msp).updated == 0
    assert [row["installed_on"] for row in rows_of(msp, agent_id)] == ["2021-02-03"]


@pytest.mark.one_database
def test_the_list_is_joined_by_the_pk_that_tactical_gives_out_now(msp: Msp) -> None:
    """Through the dashboard's API no pk is stored; a restored server gives others than stored."""
    one, other = reporting(msp)[:2]
    msp.tactical.control.software.set(one, [entry("A")])
    msp.tactical.control.software.set(other, [entry("B")])
    msp.import_fleet(inventory_source="dashboard")
    pks = {agent_id: msp.truth(agent_id)["pk"] for agent_id in (one, other)}
    swapped = [
        {"id": pks[other], "agent_id": one},
        {"id": pks[one], "agent_id": other},
    ]
    ingest(msp)
    assert installed(msp, one) == {("A", "1.0")}
    msp.tactical.control.faults.add("json", "/agents/", query="detail=false", body=swapped)
    ingest(msp)
    assert installed(msp, one) == {("B", "1.0")}
    assert installed(msp, other) == {("A", "1.0")}


def test_agents_without_an_asset_are_skipped_and_counted(msp: Msp) -> None:
    msp.connect()
    run = ingest(msp)
    seen = run.counts["seen"]
    assert seen
    assert counted(run) == {"seen": seen, "skipped": seen}
    assert run.status is RunStatus.SUCCESS
    mapping.map_exact(create=True)
    assert titles() == {}


@pytest.mark.one_database
def test_an_empty_list_removes_what_there_was(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    msp.import_fleet()
    ingest(msp)
    had = len(installed(msp, agent_id))
    msp.tactical.control.software.set(agent_id, [])
    run = ingest(msp)
    assert run.removed == had > 0
    assert installed(msp, agent_id) == set()
    assert ingest(msp).removed == 0


@pytest.mark.one_database
def test_an_absent_list_removes_nothing(msp: Msp) -> None:
    agent_id = reporting(msp)[0]
    msp.import_fleet()
    ingest(msp)
    before, read = rows_of(msp, agent_id), read_at(agent_id)
    msp.tactical.control.software.set(agent_id, None)
    assert ingest(msp).removed == 0
    assert rows_of(msp, agent_id) == before
    assert read_at(agent_id) == read is not None


@pytest.mark.one_database
def test_no_list_at_all_removes_nothing(msp: Msp) -> None:
    msp.import_fleet()
    ingest(msp)
    msp.tactical.control.faults.add("json", "/software/", body=[])
    run = ingest(msp)
    assert counted(run) == {}
    assert all(installed(msp, agent_id) for agent_id in reporting(msp))


def test_when_a_list_was_read_stands_on_the_asset(msp: Msp) -> None:
    msp.import_fleet()
    agent_id = reporting(msp)[0]
    assert read_at(agent_id) is None
    begun = utc_now()
    ingest(msp)
    first = read_at(agent_id)
    assert first >= begun  # type: ignore[operator]
    ingest(msp)
    assert read_at(agent_id) > first  # type: ignore[operator]
    silent = next(a for a in msp.agents if a not in reporting(msp))
    assert read_at(silent) is None


def test_names_in_any_script_survive(msp: Msp) -> None:
    names = [
        "日本語ソフト",
        "Ελληνικά Σ",
        "برنامج",
        "Программа",
        "ﬁle  Straße",
        "🎉 Party",
        "' OR 1=1",
    ]
    entries = [entry(name) for name in [*names, "nul\x00name"]]
    rows = [{"at": 0, "set": {"software": entries}}]
    msp.import_fleet()
    pk = min(msp.truth(each)["pk"] for each in reporting(msp))
    agent_id = next(each for each in msp.agents if msp.truth(each)["pk"] == pk)
    msp.tactical.control.faults.add("bad_rows", "/software/", rows=rows)
    assert ingest(msp).error is None
    kept = {name for name, _ in installed(msp, agent_id)}
    assert kept == {"ﬁle Straße" if "Stra" in name else name for name in names} | {"nulname"}
