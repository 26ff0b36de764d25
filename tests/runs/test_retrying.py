"""What went wrong in a run, by cause, and reading only those agents again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound, Refused
from portal.models import Event, SyncLogEntry, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.accounts.users import add_user
from portal.services.runs import causes, execution
from portal.services.runs.causes import ErrorCause, list_causes, retry_failed
from portal.services.runs.history import get_run
from portal.sync.runs import log
from portal.sync.runs.log import RunLog
from tests.runs.world import change
from tests.support.msp import Msp, counted

NOWHERE = {"site": 999_999}
"""Of a site that is not listed: the agent's id is there to ask for it by."""


def sync_badly(msp: Msp, *, nowhere: int = 2, unreadable: int = 1) -> SyncRun:
    """A sync of the fleet in which so many agents cannot be used."""
    rows: list[dict[str, Any]] = [{"at": n, "set": NOWHERE} for n in range(nowhere)]
    rows += [{"at": nowhere + n, "set": {"agent_id": None}} for n in range(unreadable)]
    msp.tactical.control.faults.add(kind="bad_rows", path="/beta/v1/agent/", rows=rows)
    return msp.sync()


def find_retryable(run: SyncRun) -> ErrorCause:
    found = next(cause for cause in list_causes(run) if cause.retryable)
    db.session.rollback()
    return found


@pytest.fixture
def user_id(msp: Msp) -> int:
    return add_user("anna@acme.example", "correct horse battery", "acme", "admin").id


@pytest.mark.one_database
def test_errors_are_told_by_cause(msp: Msp) -> None:
    msp.import_fleet()
    run = sync_badly(msp, nowhere=6, unreadable=2)
    most, few = list_causes(run)
    assert (most.number, most.retryable, len(most.records)) == (6, 6, causes.RECORDS_SHOWN)
    assert {agent_id for _, agent_id in most.records} < set(msp.agents)
    assert all(name and name != agent_id for name, agent_id in most.records)
    assert (few.number, few.retryable) == (2, 0)
    assert few.reason == "It has no usable agent_id."
    assert [agent_id for _, agent_id in few.records] == ["", ""]


@pytest.mark.one_database
def test_a_warning_is_a_cause_without_records(msp: Msp) -> None:
    msp.import_fleet()
    run = msp.sync(SyncKind.STATUS)
    with transaction() as session:
        entry = {"external_id": "", "name": "", "reason": "It broke off."}
        session.add(SyncLogEntry(run_id=run.id, action="warning", **entry))
        session.add(SyncLogEntry(run_id=run.id, action="note", **entry))
    (cause,) = list_causes(run)
    assert (cause.action, cause.number, cause.retryable, cause.records) == ("warning", 1, 0, [])


def test_only_the_agents_of_a_cause_are_read_again(
    msp: Msp, user_id: int, jobs: list[tuple[object, ...]]
) -> None:
    msp.import_fleet()
    agents = msp.agents[:2]
    for agent_id in agents:
        msp.tactical.control.agents.edit(agent_id=agent_id, version="9.9.9")
    bad = sync_badly(msp)
    assert (bad.status, bad.counts["failed"]) == (RunStatus.PARTIAL, 3)
    assert {msp.assets()[agent_id]["agent_version"] for agent_id in agents} != {"9.9.9"}

    run, is_new = retry_failed(bad.id, find_retryable(bad).entry_id, user_id)
    assert (is_new, jobs[-1]) == (True, ("sync_steadily", msp.id, run.id))
    msp.tactical.control.log.clear()
    execution.run_queued(run.id)
    run = get_run(run.id)
    asked = sorted(entry.path for entry in msp.tactical.control.log.entries())
    assert asked == sorted(f"/agents/{agent_id}/" for agent_id in agents)
    assert (run.status, run.requested_by, run.total, run.done) == (
        RunStatus.SUCCESS,
        user_id,
        2,
        2,
    )
    assert counted(run) == {"seen": 2, "updated": 2}
    assert {msp.assets()[agent_id]["agent_version"] for agent_id in agents} == {"9.9.9"}
    told = db.session.scalars(select(Event.payload).order_by(Event.id.desc())).first()
    assert told is not None
    assert (told["kind"], told["agent_id"]) == ("agents", None)


@pytest.mark.one_database
def test_what_is_wrong_with_one_agent_costs_that_one(msp: Msp, user_id: int) -> None:
    msp.import_fleet()
    bad = sync_badly(msp, nowhere=3)
    gone, broken, _ = msp.agents[:3]
    run, _ = retry_failed(bad.id, find_retryable(bad).entry_id, user_id)
    msp.tactical.control.agents.remove(agent_id=gone)
    path = f"/agents/{broken}/"
    msp.tactical.control.faults.add(kind="status", path=path, status=500, times=None)
    execution.run_queued(run.id)
    run = get_run(run.id)
    assert run.status is RunStatus.PARTIAL
    assert counted(run) == {"seen": 3, "failed": 2, "unchanged": 1}
    found = list_causes(run)
    assert {agent_id for cause in found for _, agent_id in cause.records} == {gone, broken}
    assert not any(gone in cause.reason for cause in found)
    again, is_new = retry_failed(run.id, found[0].entry_id, user_id)
    assert (is_new, again.kind) == (True, SyncKind.AGENTS)


@pytest.mark.one_database
def test_a_server_that_is_away_fails_the_run(msp: Msp, user_id: int) -> None:
    msp.import_fleet()
    bad = sync_badly(msp)
    run, _ = retry_failed(bad.id, find_retryable(bad).entry_id, user_id)
    msp.tactical.control.faults.add(kind="drop", path="/agents/*", times=None)
    execution.run_queued(run.id)
    assert get_run(run.id).status is RunStatus.FAILED


@pytest.mark.one_database
def test_a_second_press_leads_to_the_same_run_and_other_agents_to_another(
    msp: Msp, user_id: int
) -> None:
    msp.import_fleet()
    first, other = sync_badly(msp, nowhere=2), sync_badly(msp, nowhere=3)
    entry_id = find_retryable(first).entry_id
    run, _ = retry_failed(first.id, entry_id, user_id)
    again, is_new = retry_failed(first.id, entry_id, user_id)
    assert (again.id, is_new) == (run.id, False)
    apart, is_new = retry_failed(other.id, find_retryable(other).entry_id, user_id)
    assert is_new
    assert apart.id != run.id


@pytest.mark.one_database
def test_what_cannot_be_retried_is_refused(
    msp: Msp, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    msp.import_fleet()
    bad = sync_badly(msp)
    unreadable = next(cause for cause in list_causes(bad) if not cause.retryable)
    with pytest.raises(Refused, match="names an agent"):
        retry_failed(bad.id, unreadable.entry_id, user_id)
    other = msp.sync(SyncKind.ORGANIZATIONS)
    with pytest.raises(NotFound):
        retry_failed(other.id, unreadable.entry_id, user_id)
    entry_id = find_retryable(bad).entry_id
    monkeypatch.setattr(causes, "MOST_RETRIED", 1)
    with pytest.raises(Refused, match="Sync devices instead"):
        retry_failed(bad.id, entry_id, user_id)


@pytest.mark.one_database
def test_the_pace_is_measured_over_half_a_minute(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    msp.import_fleet()
    run = msp.sync()
    change(run.id, status=RunStatus.RUNNING, lease="ours")
    run_log, start = RunLog(run.id, "ours"), utc_now()
    measured = []
    for seconds, records in ((0, 0), (10, 100), (20, 100), (35, 100), (45, 100)):
        at = start + timedelta(seconds=seconds)
        monkeypatch.setattr(log, "utc_now", lambda at=at: at)
        if not records:
            run_log.set_phase("Reading agents", total=1000)
            continue
        with transaction() as session:
            run_log.record(session, type(run_log.counts)(seen=records), [])
        row = get_run(run.id)
        assert row.paced_from is not None
        measured.append(((row.paced_from - start).total_seconds(), row.paced_done, row.done))
        db.session.rollback()
    assert measured == [(0, 0, 100), (0, 0, 200), (0, 0, 300), (10, 100, 400)]
