"""A connection test and an action in Tactical: held by one process, begun again when that dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.lease import LEASE_TIME
from portal.models import ConnectionTest, WebhookInstallation
from portal.models.webhook.installation import InstallationAction
from portal.services import leases
from portal.services import tick as schedule
from portal.services.integrations import testing
from portal.services.leases import LeaseLost, Work
from portal.services.webhook import apply, installation
from portal.tactical.probe.probe import probe
from tests.support.webhooks import Msp

pytestmark = pytest.mark.mainly("postgresql")

Jobs = list[tuple[object, ...]]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """What was handed to RQ, in place of doing so."""
    found: Jobs = []

    def note(*job: object) -> bool:
        found.append(job)
        return True

    monkeypatch.setattr(queue, "enqueue", note)
    return found


def ask_for_a_test(_msp: Msp) -> int:
    return testing.request_test().id


def ask_for_an_installation(msp: Msp) -> int:
    return installation.request_action(InstallationAction.INSTALL, msp.wanted()).id


KINDS: Any = [
    (ConnectionTest, "test_connection", ask_for_a_test, testing.run_queued),
    (WebhookInstallation, "install_webhook", ask_for_an_installation, installation.run_queued),
]
KIND = pytest.mark.parametrize(("table", "job", "ask", "run"), KINDS, ids=["test", "installation"])


def look(msp: Msp, table: type[Work], row_id: int) -> Work:
    with msp.scope():
        return db.session.get_one(table, row_id)


def tick(msp: Msp) -> None:
    with msp.app.app_context():
        schedule.tick()


@KIND
def test_what_a_process_died_with_is_begun_again(
    msp: Msp,
    jobs: Jobs,
    table: type[Work],
    job: str,
    ask: Callable[[Msp], int],
    run: Callable[[int], None],
) -> None:
    with msp.scope():
        row_id = ask(msp)
        assert leases.claim(table, row_id)
        assert leases.claim(table, row_id) is None
    jobs.clear()
    tick(msp)
    assert (job, msp.id, row_id) not in jobs
    with time_machine.travel(utc_now() + LEASE_TIME):
        tick(msp)
        assert (job, msp.id, row_id) in jobs
        with msp.scope():
            run(row_id)
    row = look(msp, table, row_id)
    assert (row.ok, row.fencing_number, row.lease) == (True, 2, None)


@KIND
def test_what_nobody_came_for_is_asked_for_again(
    msp: Msp, jobs: Jobs, table: type[Work], job: str, ask: Callable[[Msp], int], run: Any
) -> None:
    with msp.scope():
        row_id = ask(msp)
    jobs.clear()
    with time_machine.travel(utc_now() + schedule.UNCLAIMED_AFTER):
        tick(msp)
    assert (job, msp.id, row_id) in jobs


@KIND
def test_what_loses_its_process_three_times_is_ended(
    msp: Msp, jobs: Jobs, table: type[Work], job: str, ask: Callable[[Msp], int], run: Any
) -> None:
    with msp.scope():
        row_id = ask(msp)
    with time_machine.travel(utc_now(), tick=False) as clock:
        for _ in range(leases.MOST_ATTEMPTS):
            with msp.scope():
                assert leases.claim(table, row_id)
            clock.shift(LEASE_TIME.total_seconds() + 1)
            tick(msp)
    row = look(msp, table, row_id)
    assert (row.ok, row.fault, row.lease) == (False, "interrupted", None)
    assert "nterrupted" in str(row.message)


@KIND
def test_a_process_that_beats_keeps_it(
    msp: Msp, jobs: Jobs, table: type[Work], job: str, ask: Callable[[Msp], int], run: Any
) -> None:
    with msp.scope():
        row_id = ask(msp)
        lease = leases.claim(table, row_id)
        assert lease
        with time_machine.travel(utc_now() + LEASE_TIME, tick=False):
            assert leases.renew(table, row_id, lease)
        assert not leases.renew(table, row_id, "another")
    with time_machine.travel(utc_now() + LEASE_TIME * 1.5):
        tick(msp)
    assert look(msp, table, row_id).lease == lease


def test_a_test_that_comes_back_too_late_changes_nothing(
    msp: Msp, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with msp.scope():
        test_id = testing.request_test().id
    other = ""

    def stop_long(*arguments: Any) -> Any:
        nonlocal other
        with msp.scope():
            other = take_over(ConnectionTest, test_id)
        return probe(*arguments)

    monkeypatch.setattr(testing, "probe", stop_long)
    with msp.scope():
        testing.run_queued(test_id)
    row = look(msp, ConnectionTest, test_id)
    assert (row.ok, row.steps, row.lease) == (None, [], other)


def test_an_action_that_comes_back_too_late_changes_nothing_more(
    msp: Msp, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with msp.scope():
        row_id = ask_for_an_installation(msp)
    applier, calls, other = apply.Applier, 0, ""
    apply_change = applier.apply

    def stop_long(self: Any, change: Any) -> None:
        nonlocal calls, other
        calls += 1
        if calls == 2:
            with msp.scope():
                other = take_over(WebhookInstallation, row_id)
            before.update(msp.everything())
        apply_change(self, change)

    before: dict[str, Any] = {}
    monkeypatch.setattr(applier, "apply", stop_long)
    with msp.scope():
        installation.run_queued(row_id)
    assert calls == 2
    assert msp.everything() == before
    row = look(msp, WebhookInstallation, row_id)
    assert (row.ok, row.lease) == (None, other)

    monkeypatch.undo()
    with msp.scope(), time_machine.travel(utc_now() + LEASE_TIME * 3):
        installation.release_lost_installations()
        installation.run_queued(row_id)
    assert look(msp, WebhookInstallation, row_id).ok
    assert len(msp.tactical.state.url_actions) == 2  # none twice


def take_over(table: type[Work], row_id: int) -> str:
    """As another process does when this one was stopped for longer than its lease lasts."""
    with time_machine.travel(utc_now() + LEASE_TIME * 1.1):
        leases.free_lost(table, table.id < 0, "")
        lease = leases.claim(table, row_id)
    assert lease
    return lease


def test_a_row_is_written_by_its_holder_alone(msp: Msp, jobs: Jobs) -> None:
    with msp.scope():
        test_id = testing.request_test().id
        lease = leases.claim(ConnectionTest, test_id)
        assert leases.get_own(db.session(), ConnectionTest, test_id, str(lease)).id == test_id
        with pytest.raises(LeaseLost):
            leases.get_own(db.session(), ConnectionTest, test_id, "another")
