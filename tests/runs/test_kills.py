"""What is killed at any of its commits, or stopped while another process does it: the end is that
of what nothing befell. The clock stands still, so that moments are equal too."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db
from portal.lease import LEASE_TIME
from portal.models import Asset
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.accounts.users import add_user
from portal.services.assets.choosing import Chosen
from portal.services.assets.listing import MISSING, AssetFilter
from portal.services.assets.merge import merge_assets
from portal.services.assets.removed import AssetMerged
from portal.services.assets.retirement import request_retirement
from portal.services.runs import execution, history, requests
from portal.services.runs.plans import find_plan_of_run, request_apply
from portal.services.runs.reverts import request_revert, revert_to_end
from tests.runs.saved import close_all, is_postgres, number_on, numbering_on, save
from tests.runs.world import change
from tests.stateful.tables import dump
from tests.support.msp import Msp

OF_ONE_ATTEMPT = {"lease", "fencing_number", "heartbeat_at", "done", "paced_from", "paced_done"}
OF_ONE_ATTEMPT |= {"seen", "created", "updated", "unchanged", "moved", "relinked", "missing"}
OF_ONE_ATTEMPT |= {"waiting", "conflicts", "skipped", "phase", "total"}
IN_ANY_ORDER = ("asset_changes", "events", "sync_log_entries")
"""Their ids follow from the order of writing, which another attempt changes."""
MOST_COMMITS = 60
KILL_EACH = int(os.environ.get("KILL_EACH", "6"))
"""One of so many commits is killed, which ones differing by the work and the database, so that
kills fall on all that a run does. `make test-kills` kills each commit of each."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Something that a process does, and what brings it to its end when that process is gone."""

    work: Callable[[], object]
    go_on: Callable[[], object]


@contextmanager
def in_child(begun: Begun, hook: str, number: int, sign: signal.Signals) -> Iterator[int]:
    """A process that does the work and sends itself a signal at its commit of that number:
    before it is made (`before_commit`) or after (`after_commit`)."""
    close_all()
    pid = os.fork()
    if not pid:
        commits = count(1)

        def strike(_session: Session) -> None:
            if next(commits) == number:
                os.kill(os.getpid(), sign)

        event.listen(Session, hook, strike)
        try:
            begun.work()
        finally:
            os._exit(0)
    yield pid


def kill_at(begun: Begun, hook: str, number: int) -> bool:
    """Whether it was killed; it had fewer commits otherwise."""
    with in_child(begun, hook, number, signal.SIGKILL) as pid:
        _, status = os.waitpid(pid, 0)
    if is_postgres():
        number_on()
    return os.WIFSIGNALED(status)


def revive(run_id: int) -> None:
    if history.get_run(run_id).status is RunStatus.RUNNING:
        change(run_id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
        assert [each.id for each in execution.revive_abandoned_runs()] == [run_id]
    execution.run_queued(run_id)


def everything(msp: Msp) -> dict[str, Any]:
    """What a run wrote, but for what tells of its attempts."""
    db.session.rollback()
    found: dict[str, Any] = {}
    for table, rows in dump(msp.id, looks=True).items():
        kept = [{k: v for k, v in row.items() if k not in OF_ONE_ATTEMPT} for row in rows.values()]
        if table in IN_ANY_ORDER:
            kept = [{k: v for k, v in row.items() if k != "id"} for row in kept]
        found[table] = sorted(map(repr, kept))
    return found


def change_the_fleet(msp: Msp) -> None:
    """One is re-installed, one moves, one goes, one is renamed, one comes."""
    control, [reinstalled, moved, gone, renamed] = msp.tactical.control, msp.agents[:4]
    control.computers.new_board(reinstalled, "SERIAL-1")
    msp.sync()
    control.computers.reinstall(reinstalled, keep=False)
    control.agents.move(moved, msp.sites_of_others(moved)[0]["site_pk"])
    control.agents.remove(gone)
    control.agents.edit(renamed, hostname="RENAMED")
    control.agents.add(1)


def begin_run(run_id: int) -> Begun:
    return Begun(lambda: execution.run_queued(run_id), lambda: revive(run_id))


def begin_sync(_msp: Msp) -> Begun:
    return begin_run(requests.request_run(SyncKind.DEVICES, "button")[0].id)


def begin_apply(msp: Msp) -> Begun:
    plan = find_plan_of_run(msp.sync(SyncKind.PREVIEW).id)
    assert plan is not None
    return begin_run(request_apply(plan.id).id)


def send_late_serial(msp: Msp) -> None:
    """A re-installed computer got an asset of its own, and now tells whose it is."""
    control, old = msp.tactical.control, msp.agents[4]
    control.computers.new_board(old, "SERIAL-2")
    msp.sync()
    control.agents.seen(agent_id=old, seconds_ago=3600)
    new = control.computers.reinstall(old, hardware=False)
    msp.sync()
    control.computers.report(new)


def begin_late_merge(msp: Msp) -> Begun:
    send_late_serial(msp)
    return begin_sync(msp)


def begin_undoing_late_merge(msp: Msp) -> Begun:
    send_late_serial(msp)
    merged = msp.sync()
    assert merged.relinked == 1
    return begin_run(request_revert(merged.id).id)


def begin_retirement(msp: Msp) -> Begun:
    """By a worker."""
    msp.sync()
    for agent in msp.agents[5:7]:
        msp.tactical.control.agents.remove(agent)
    assert msp.sync().missing == 2
    user_id = add_user("ann@acme.example", "correct horse battery", "acme", "admin").id
    missing = Chosen(shown=AssetFilter(status=MISSING))
    return begin_run(request_retirement(missing, user_id).run.id)


def begin_undo(msp: Msp) -> Begun:
    return begin_run(request_revert(msp.sync().id).id)


def begin_undoing_an_undo(msp: Msp) -> Begun:
    return begin_run(request_revert(revert_to_end(msp.sync().id).id).id)


def begin_merge(msp: Msp) -> Begun:
    """By hand; whose answer did not come presses again."""
    msp.sync()
    first = db.session.query(Asset).order_by(Asset.id).first()
    assert first is not None
    alike = db.session.query(Asset.id).filter(Asset.client_id == first.client_id)
    pair = first.id, alike.filter(Asset.id != first.id).order_by(Asset.id).limit(1).scalar()

    def press_again() -> None:
        with suppress(AssetMerged):
            merge_assets(*pair)

    return Begun(lambda: merge_assets(*pair), press_again)


RUNS = {"sync": begin_sync, "apply": begin_apply}
UNDONE = {"undo": begin_undo, "undoing an undo": begin_undoing_an_undo, "merge": begin_merge}
LATE = {"late merge": begin_late_merge, "undoing a late merge": begin_undoing_late_merge}
WORK: dict[str, Callable[[Msp], Begun]] = {**RUNS, **UNDONE, **LATE, "retirement": begin_retirement}


@pytest.fixture
def begun(
    msp: Msp, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Begun]:
    """Of a fleet in which one was re-installed, moved and missed."""
    monkeypatch.setattr("portal.sync.reverting.run.ASSETS_AT_ONCE", 2)  # for more commits
    monkeypatch.setattr("portal.sync.devices.asset_changes.ASSETS_AT_ONCE", 2)
    monkeypatch.setattr("portal.services.assets.retirement.DONE_AT_ONCE", 0)
    with time_machine.travel(utc_now(), tick=False), numbering_on():
        msp.import_fleet(page_size=12)
        change_the_fleet(msp)
        yield WORK[request.param](msp)


def first_commit(work: str) -> int:
    """A merge by hand has few."""
    return 1 if work == "merge" else 1 + (list(WORK).index(work) + is_postgres()) % KILL_EACH


@pytest.mark.parametrize("begun", WORK, indirect=True)
def test_what_is_killed_at_any_commit_comes_to_the_same_end(
    msp: Msp, begun: Begun, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    saved, before = save(tmp_path), everything(msp)
    begun.work()
    expected = everything(msp)
    assert expected["assets"] != before["assets"]
    first = first_commit(request.node.callspec.params["begun"])
    for number in range(first, MOST_COMMITS, KILL_EACH):
        saved.restore()
        if not kill_at(begun, "before_commit", number):
            break
        begun.go_on()
        assert everything(msp) == expected, number
    assert first < number < MOST_COMMITS - KILL_EACH


@pytest.mark.mainly("postgresql")
@pytest.mark.parametrize("begun", RUNS, indirect=True)
def test_a_process_that_is_stopped_and_comes_back_changes_nothing(
    msp: Msp, begun: Begun, tmp_path: Path
) -> None:
    saved = save(tmp_path)
    begun.work()
    expected = everything(msp)
    for number in range(2, 8, 2):
        saved.restore()
        with in_child(begun, "after_commit", number, signal.SIGSTOP) as pid:
            _, status = os.waitpid(pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            begun.go_on()
            assert everything(msp) == expected, number
            os.kill(pid, signal.SIGCONT)
            os.waitpid(pid, 0)
        assert everything(msp) == expected, number
