"""A command runs it in its own process, and ends it whatever happens."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from portal.clock import utc_now
from portal.db import db
from portal.errors import PORTAL_FAULT
from portal.lease import LEASE_TIME
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.runs import execution, history, requests
from tests.runs.world import change
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")

DEVICES, ORGANIZATIONS, AGENT = SyncKind.DEVICES, SyncKind.ORGANIZATIONS, SyncKind.AGENT


def test_a_command_takes_over_a_run_that_only_waits(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    waiting, _ = requests.request_run(ORGANIZATIONS, "button")
    run = msp.sync(ORGANIZATIONS)
    assert (run.id, run.status) == (waiting.id, RunStatus.SUCCESS)
    execution.run_queued(waiting.id)  # the worker comes too late
    assert history.get_run(run.id).fencing_number == 1


def test_a_command_waits_for_a_run_that_works_and_then_runs_its_own(
    msp: Msp, jobs: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    msp.connect_untested()
    working, _ = requests.request_run(ORGANIZATIONS, "button")
    assert execution._claim(working.id)
    polls = []

    def pause(_seconds: float) -> None:
        polls.append(history.get_run(working.id).status)
        db.session.rollback()
        if len(polls) == 3:
            change(working.id, status=RunStatus.SUCCESS, lease=None, finished_at=utc_now())

    monkeypatch.setattr("portal.services.runs.execution.time", SimpleNamespace(sleep=pause))
    run = msp.sync(ORGANIZATIONS)
    assert polls == [RunStatus.RUNNING] * 3
    assert run.id != working.id
    assert run.status is RunStatus.SUCCESS


def test_a_command_does_not_wait_for_a_process_that_died(
    msp: Msp, jobs: list[tuple[object, ...]]
) -> None:
    msp.connect_untested()
    dead, _ = requests.request_run(ORGANIZATIONS, "button")
    assert execution._claim(dead.id)
    change(dead.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
    run = msp.sync(ORGANIZATIONS)
    assert (run.id, run.status, run.fencing_number) == (dead.id, RunStatus.SUCCESS, 2)


@pytest.mark.one_database
def test_ctrl_c_ends_the_run_of_a_command(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    msp.connect_untested()

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(execution._SYNCS, ORGANIZATIONS, press)
    with pytest.raises(KeyboardInterrupt):
        msp.sync(ORGANIZATIONS)
    run = history.list_runs().items[0]
    assert (run.status, run.lease) == (RunStatus.CANCELLED, None)
    monkeypatch.undo()


@pytest.mark.one_database
def test_a_mistake_of_ours_ends_the_run_too(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> None:
    msp.connect_untested()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(execution._SYNCS, ORGANIZATIONS, fail)
    with pytest.raises(ZeroDivisionError):
        msp.sync(ORGANIZATIONS)
    run = history.list_runs().items[0]
    assert (run.status, run.lease) == (RunStatus.FAILED, None)
    assert run.error == PORTAL_FAULT
