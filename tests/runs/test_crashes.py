"""A process that is killed in the middle of a run: another one brings it to the same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.config import Settings
from portal.db import db
from portal.lease import LEASE_TIME
from portal.models import (
    Asset,
    Event,
    ExternalEntityMapping,
    Integration,
    SyncLogEntry,
    SyncRun,
)
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.organizations import mapping
from portal.services.runs import execution, history, requests
from tests.acceptance.truth import expected_assets, told
from tests.runs.world import change
from tests.support.keys import KEYS
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")

WORKER = """
import os, signal, sys
from importlib import import_module
from portal import create_app
from portal.scope import tenant_scope
from portal.services.runs import execution

point, page = sys.argv[1], int(sys.argv[2])
place, _, name = point.rpartition(".")
module = import_module("portal.sync.devices." + place)
original, calls = getattr(module, name), 0

def dying(*arguments):
    global calls
    calls += 1
    done = original(*arguments)
    if calls == page:
        os.kill(os.getpid(), int(sys.argv[5]))
    return done

setattr(module, name, dying)
app = create_app()
with app.app_context(), tenant_scope(int(sys.argv[3])):
    execution.run_queued(int(sys.argv[4]))
"""
POINTS = {
    "after a page was committed": ("run.apply_page", "1"),
    "within a page, before its end": ("writers.base.apply_decisions", "2"),
}


def start_and_meet(
    msp: Msp, run_id: int, point: str, page: str, number: signal.Signals
) -> subprocess.Popen[bytes]:
    """A process that executes the run, and sends itself a signal there."""
    settings: Settings = msp.app.extensions["settings"]
    environ = {
        **KEYS,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_EGRESS_ALLOW": "127.0.0.0/8",
    }
    words = [sys.executable, "-c", WORKER, point, page, str(msp.id), str(run_id)]
    return subprocess.Popen([*words, str(int(number))], env=environ, stderr=subprocess.PIPE)


def die_at(msp: Msp, run_id: int, point: str, page: str) -> None:
    with start_and_meet(msp, run_id, point, page, signal.SIGKILL) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors.decode()


def test_a_run_that_is_killed_twice_ends_as_if_it_had_not_been(msp: Msp) -> None:
    msp.connect_untested(page_size=6)
    msp.sync(SyncKind.ORGANIZATIONS)
    mapping.map_exact(create=True)
    run, _ = requests.request_run(SyncKind.DEVICES, "button")
    for number, (point, page) in enumerate(POINTS.values(), 1):
        die_at(msp, run.id, point, page)
        left = history.get_run(run.id)
        assert (left.status, left.fencing_number) == (RunStatus.RUNNING, number)
        assert len(msp.assets()) == 6  # whole pages, and no part of one
        change(run.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
        assert [each.id for each in execution.revive_abandoned_runs()] == [run.id]
    execution.run_queued(run.id)
    done = history.get_run(run.id)
    assert (done.status, done.fencing_number) == (RunStatus.SUCCESS, 3)
    # Counts are those of the attempt that came to an end.
    assert (done.counts["seen"], done.counts["created"], done.counts["unchanged"]) == (24, 18, 6)
    expected = expected_assets(msp.tactical, "beta")
    assert {i: told(row) for i, row in msp.assets().items()} == expected
    assert len(msp.log(run, "created")) == 24


def test_a_process_that_was_stopped_for_longer_than_its_lease_changes_nothing(msp: Msp) -> None:
    msp.connect_untested(page_size=6)
    msp.sync(SyncKind.ORGANIZATIONS)
    mapping.map_exact(create=True)
    run, _ = requests.request_run(SyncKind.DEVICES, "button")
    with start_and_meet(msp, run.id, "run.apply_page", "1", signal.SIGSTOP) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        change(run.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
        assert [each.id for each in execution.revive_abandoned_runs()] == [run.id]
        execution.run_queued(run.id)
        before = everything(msp)
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    assert everything(msp) == before
    assert history.get_run(run.id).status is RunStatus.SUCCESS


def everything(msp: Msp) -> list[list[object]]:
    """All rows that a device sync may write."""
    db.session.rollback()
    tables = (Asset, ExternalEntityMapping, SyncRun, SyncLogEntry, Event, Integration)
    return [
        [getattr(row, column.name) for column in table.__table__.columns]
        for table in tables
        for row in db.session.scalars(
            select(table).order_by(table.id).execution_options(populate_existing=True)
        )
    ]
