"""A run belongs to one process, until that falls silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from portal.clock import utc_now
from portal.db import db, transaction
from portal.lease import LEASE_TIME
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.runs import execution, history, requests
from portal.sync.runs.log import RunEnded, RunLog
from tests.runs.world import change
from tests.support.msp import Msp

DEVICES, ORGANIZATIONS, AGENT = SyncKind.DEVICES, SyncKind.ORGANIZATIONS, SyncKind.AGENT


def test_a_process_whose_run_was_taken_over_writes_nothing_any_more(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(DEVICES, "button")
    claimed = execution._claim(run.id)
    assert claimed is not None
    stale = RunLog(run.id, str(claimed.lease))
    stale.set_phase("Reading")
    change(run.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
    assert [each.id for each in execution.revive_abandoned_runs()] == [run.id]
    taken = execution._claim(run.id)
    assert taken is not None
    assert taken.lease not in (None, claimed.lease)

    def write_phase() -> None:
        stale.set_phase("Writing")

    def warn() -> None:
        stale.warn("Something is odd.")

    def note() -> None:
        with transaction() as session:
            stale.note(session, [])

    def note_source() -> None:
        with transaction() as session:
            stale.note_source(session, "beta")

    def record() -> None:
        with transaction() as session:
            stale.record(session, stale.counts, [])

    for write in (write_phase, warn, note, note_source, record):
        with pytest.raises(RunEnded, match="Another process"):
            write()
    assert stale.finish(RunStatus.SUCCESS) is False
    now = history.get_run(run.id)
    assert (now.status, now.lease, now.phase) == (RunStatus.RUNNING, taken.lease, "Reading")
    assert (now.source, now.fencing_number) == (None, 2)
    assert history.list_log_entries(run.id).items == []
    assert RunLog(run.id, str(taken.lease)).finish(RunStatus.SUCCESS) is True


def test_a_run_that_beats_keeps_its_lease(msp: Msp, jobs: list[tuple[object, ...]]) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(DEVICES, "button")
    claimed = execution._claim(run.id)
    assert claimed is not None
    log = RunLog(run.id, str(claimed.lease))
    with time_machine.travel(utc_now() + LEASE_TIME, tick=False):
        db.session.rollback()
        assert not log._is_over(beat=True)
    with time_machine.travel(utc_now() + LEASE_TIME + timedelta(seconds=5), tick=False):
        assert execution.revive_abandoned_runs() == []
    assert not log.cancelled.is_set()
    requests.cancel_run(run.id)
    assert log._is_over(beat=False)
    assert log.cancelled.is_set()


def test_a_run_that_loses_its_process_three_times_is_given_up(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(DEVICES, "button")
    silent = {"heartbeat_at": utc_now() - LEASE_TIME - timedelta(seconds=1)}
    for _ in range(2):
        assert execution._claim(run.id)
        change(run.id, **silent)
        assert len(execution.revive_abandoned_runs()) == 1
    assert execution._claim(run.id)
    change(run.id, **silent)
    assert execution.revive_abandoned_runs() == []
    done = history.get_run(run.id)
    assert (done.status, done.lease) == (RunStatus.FAILED, None)
    assert "3 times" in str(done.error)
    assert execution._claim(run.id) is None


def test_a_cancelled_run_whose_process_died_is_ended(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    run, _ = requests.request_run(DEVICES, "button")
    execution._claim(run.id)
    requests.cancel_run(run.id)
    change(run.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
    assert execution.revive_abandoned_runs() == []
    assert history.get_run(run.id).status is RunStatus.CANCELLED
