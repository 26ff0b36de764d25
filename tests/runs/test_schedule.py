"""What is due starts once, and what was lost starts again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.lease import LEASE_TIME
from portal.models import ConnectionTest, Schedule
from portal.models.integrations.integration import AuthMode
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import all_tenants, tenant_scope
from portal.services import tick as schedule
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations import connect, testing
from portal.services.integrations.connect import ConnectionSettings
from portal.services.integrations.schedules import next_due
from portal.services.runs import execution, history, requests
from tests.runs.world import change
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")

Jobs = list[tuple[object, ...]]
NIGHTLY = {"count_days", "prune_deliveries", "prune_events", "prune_runs"}


def due_times() -> dict[str, datetime]:
    rows = db.session.execute(select(Schedule.kind, Schedule.next_due_at)).all()
    db.session.rollback()
    return {row.kind: row.next_due_at for row in rows if row.kind not in NIGHTLY}


def later(**delta: float) -> time_machine.travel:
    return time_machine.travel(utc_now() + timedelta(**delta), tick=False)


def tick(msp: Msp) -> None:
    """As the scheduler does: a context of its own and no tenant's scope."""
    db.session.rollback()  # what was read before must not be read again
    with msp.app.app_context():
        schedule.tick()


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """What is done daily is done at night."""
    with time_machine.travel(datetime.now().astimezone().replace(hour=12)):
        yield


@pytest.fixture
def connected(msp: Msp) -> Msp:
    msp.connect_untested(device_sync_minutes=60, alert_sync_minutes=0, status_sweep_minutes=0)
    msp.waive_preview()
    return msp


def test_nothing_is_due_at_once(connected: Msp, jobs: Jobs) -> None:
    tick(connected)
    assert jobs == []
    assert due_times().keys() == {"devices", "software"}


@pytest.mark.one_database
def test_what_is_due_starts_and_is_due_again_an_interval_later(connected: Msp, jobs: Jobs) -> None:
    with later(minutes=61):
        tick(connected)
        [run] = history.list_runs().items
        assert (run.kind, run.trigger, run.status) == (
            SyncKind.DEVICES,
            "schedule",
            RunStatus.QUEUED,
        )
        assert jobs == [("sync_devices", connected.id, run.id)]
        assert due_times()["devices"] == utc_now() + timedelta(minutes=60)
        tick(connected)
        assert len(jobs) == 1


@pytest.mark.one_database
def test_a_new_connection_looks_at_the_status_often_and_at_all_else_by_night(
    msp: Msp, jobs: Jobs
) -> None:
    msp.connect_untested()
    msp.waive_preview()
    due = due_times()
    assert due["status"] - utc_now() < timedelta(minutes=5)
    assert 1 <= due["devices"].astimezone().hour < 4
    assert due["software"] == due["devices"] < utc_now() + timedelta(days=1)
    with later(minutes=6):
        tick(msp)
        [run] = history.list_runs(SyncKind.STATUS).items
        assert [job[1:] for job in jobs] == [(msp.id, run.id)]
    with time_machine.travel(due["devices"] + timedelta(seconds=3), tick=False):
        tick(msp)
    assert due_times()["devices"] - due["devices"] in DAYS


DAYS = [timedelta(days=1, hours=hours) for hours in (-1, 0, 1)]
"""One may be longer or shorter by the hour of summer time."""


def test_nights_are_counted_and_each_integration_has_its_own_minute() -> None:
    week = next_due(7 * 86400, 1)
    assert timedelta(days=6) < week - utc_now() < timedelta(days=7)
    assert len({next_due(86400, number) for number in range(100)}) == 100
    assert next_due(90 * 60, 1) - utc_now() > timedelta(minutes=89)


def test_a_sweep_starts_while_a_device_sync_works_too(msp: Msp, jobs: Jobs) -> None:
    msp.connect_untested(alert_sync_minutes=0)
    run, _ = requests.request_run(SyncKind.DEVICES, "button")
    execution._claim(run.id)
    with later(minutes=6):
        change(run.id, heartbeat_at=utc_now())
        tick(msp)
        assert len(history.list_runs(SyncKind.STATUS).items) == 1


def test_old_runs_are_forgotten_those_of_the_fleet_last(msp: Msp, jobs: Jobs) -> None:
    msp.connect_untested()
    kept = {SyncKind.STATUS: 2, SyncKind.AGENT: 30, SyncKind.ALERTS: 30, SyncKind.DEVICES: 365}
    for kind, days in kept.items():
        for age in (days - 0.1, days + 0.1):
            run, _ = requests.request_run(kind, "button", "x" if kind is SyncKind.AGENT else "")
            change(run.id, status=RunStatus.SUCCESS, created_at=utc_now() - timedelta(days=age))
    waiting, _ = requests.request_run(SyncKind.STATUS, "button")
    change(waiting.id, created_at=utc_now() - timedelta(days=10))
    integration_id = waiting.integration_id

    assert history.prune_runs(integration_id) == 4

    left = {run.kind: utc_now() - run.created_at for run in history.list_runs().items}
    assert left.keys() == {SyncKind.AGENT, SyncKind.ALERTS, SyncKind.DEVICES}
    assert all(age < timedelta(days=kept[kind]) for kind, age in left.items())
    assert history.list_runs(SyncKind.STATUS).total == 2
    assert history.prune_runs(integration_id) == 0
    with later(days=400):
        history.prune_runs(integration_id)
    # They tell since when nothing was read.
    runs = [(run.kind, run.status) for run in history.list_runs().items]
    assert sorted(runs) == [
        (kind, RunStatus.SUCCESS) for kind in (SyncKind.AGENT, SyncKind.ALERTS, SyncKind.DEVICES)
    ]


def test_many_schedulers_start_it_once(connected: Msp, jobs: Jobs) -> None:
    """Each saw that it is due before any of them claimed it."""
    barrier = threading.Barrier(4)
    claimed = []

    def claim(_: int) -> None:
        with connected.app.app_context():
            with all_tenants():
                [due] = [each for each in schedule._list_due() if each.kind == "devices"]
            barrier.wait()
            claimed.append(schedule._claim(due))

    with transaction() as session:
        for row in session.scalars(select(Schedule).where(Schedule.kind == "devices")):
            row.next_due_at = utc_now() - timedelta(minutes=1)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(claim, range(4)))
    assert sorted(claimed) == [False, False, False, True]


@pytest.mark.one_database
def test_an_integration_that_may_not_sync_is_passed_over(connected: Msp, jobs: Jobs) -> None:
    connect.save_connection(ConnectionSettings(api_key="not tested"))
    connected.waive_preview()
    with later(minutes=61):
        tick(connected)
        assert jobs == []
        assert history.list_runs().items == []
        assert due_times()["devices"] > utc_now()


def test_tenants_have_their_own_schedules(connected: Msp, jobs: Jobs) -> None:
    with tenant_scope(add_tenant("Other", "other").id):
        connected.connect(device_sync_minutes=0, alert_sync_minutes=30, status_sweep_minutes=0)
        assert due_times().keys() == {"alerts", "software"}
    with later(minutes=61):
        tick(connected)
    assert sorted(str(job[0]) for job in jobs) == ["sync_devices", "sync_steadily"]


def test_a_password_needs_keeping_alive(msp: Msp, jobs: Jobs) -> None:
    known = msp.tactical.credentials
    password: dict[str, Any] = {
        "auth_mode": AuthMode.PASSWORD,
        "username": known.api_user,
        "password": known.api_password,
    }
    password |= {"device_sync_minutes": 0, "status_sweep_minutes": 0}
    msp.connect(alert_sync_minutes=0, **password)
    assert due_times().keys() == {"software", "keep_alive"}
    with later(hours=2, minutes=1):
        tick(msp)
    assert [job[:2] for job in jobs] == [("keep_alive", msp.id)]
    msp.connect(auth_mode=AuthMode.API_KEY)
    assert due_times().keys() == {"software"}


def test_new_intervals_take_effect_at_once(connected: Msp) -> None:
    connect.save_connection(ConnectionSettings(options={"device_sync_minutes": 5}))
    assert due_times()["devices"] <= utc_now() + timedelta(minutes=5)
    connect.save_connection(ConnectionSettings(options={"device_sync_minutes": 0}))
    assert "devices" not in due_times()
    before = due_times()
    connect.save_connection(ConnectionSettings(options={"page_size": 10}))
    assert due_times() == before


@pytest.mark.one_database
def test_a_run_whose_job_was_lost_is_enqueued_again(connected: Msp, jobs: Jobs) -> None:
    run, _ = requests.request_run(SyncKind.ORGANIZATIONS, "button")
    jobs.clear()  # as when Redis lost it
    tick(connected)
    assert jobs == []  # it may only be waiting its turn
    with later(seconds=31):
        tick(connected)
    assert jobs == [("sync_organizations", connected.id, run.id)]


def test_a_run_whose_process_died_is_started_again(connected: Msp, jobs: Jobs) -> None:
    run, _ = requests.request_run(SyncKind.DEVICES, "button")
    execution._claim(run.id)
    jobs.clear()
    tick(connected)
    assert jobs == []
    change(run.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(seconds=1))
    tick(connected)
    assert ("sync_devices", connected.id, run.id) in jobs
    assert history.get_run(run.id).status is RunStatus.QUEUED


def test_one_connection_test_waits_however_often_it_is_asked_for(connected: Msp) -> None:
    waiting = testing.request_test().id
    assert testing.request_test().id == waiting
    testing.run_queued(waiting)
    assert testing.request_test().id != waiting


@pytest.mark.one_database
def test_a_connection_test_whose_job_was_lost_is_enqueued_again(connected: Msp, jobs: Jobs) -> None:
    test = testing.request_test()
    jobs.clear()
    with later(seconds=31):
        tick(connected)
        assert jobs == [("test_connection", connected.id, test.id)]
        jobs.clear()
        testing.run_queued(test.id)
        tick(connected)
        assert "test_connection" not in {job[0] for job in jobs}
    lost = ConnectionTest(integration_id=test.integration_id, steps=[])
    with transaction() as session:
        session.add(lost)
    with later(hours=1):  # nobody waits for it any more
        tick(connected)
    assert ("test_connection", connected.id, lost.id) not in jobs
