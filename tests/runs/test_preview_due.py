"""The schedule of a connection that is new or was changed waits until a person has looked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import Integration, Schedule, SyncRun
from portal.models.integrations.integration import AuthMode, InventorySource, PreviewReason
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services import tick as schedule
from portal.services.integrations.connect import ConnectionSettings, disconnect, save_connection
from portal.services.integrations.current import get_integration
from portal.services.integrations.identity import ServerChoice, decide_server
from portal.services.integrations.preview_due import find_pending_preview
from portal.services.organizations import mapping
from portal.services.runs import execution, plans, requests
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")


def due() -> PreviewReason | None:
    db.session.rollback()
    return get_integration().preview_due


def start_what_is_due(msp: Msp) -> set[str]:
    """The kinds of syncs that the schedule starts a day and a half later."""
    db.session.rollback()
    with time_machine.travel(utc_now() + timedelta(hours=36), tick=False):
        with msp.app.app_context():
            schedule.tick()
        kinds = db.session.scalars(select(SyncRun.kind).where(SyncRun.trigger == "schedule"))
        return {str(kind) for kind in kinds}


def preview(msp: Msp) -> int:
    plan = plans.find_plan_of_run(msp.sync(SyncKind.PREVIEW).id)
    assert plan is not None
    return plan.id


@pytest.fixture
def mapped(msp: Msp) -> Msp:
    """Connected, its organizations mapped, no device sync yet."""
    assert msp.connect().ok
    msp.sync(SyncKind.ORGANIZATIONS)
    mapping.map_exact(create=True)
    return msp


def test_device_syncs_of_a_new_connection_wait_and_nothing_else(mapped: Msp) -> None:
    assert due() is PreviewReason.FIRST_SYNC
    pending = find_pending_preview(get_integration())
    assert pending is not None
    assert (pending.plan_id, pending.schedule_waits) == (None, True)
    assert start_what_is_due(mapped) == {"status", "software", "alerts"}


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.one_database
def test_a_decision_on_a_plan_lets_the_schedule_go_on(mapped: Msp, is_applied: bool) -> None:
    plan_id = preview(mapped)
    pending = find_pending_preview(get_integration())
    assert pending is not None
    assert pending.plan_id == plan_id
    assert due() is PreviewReason.FIRST_SYNC  # a plan alone decides nothing
    if is_applied:
        assert plans.apply_to_end(plan_id).status is RunStatus.SUCCESS
    else:
        plans.decline_plan(plan_id)
    assert due() is None
    assert "devices" in start_what_is_due(mapped)


def test_turns_that_were_missed_are_not_made_up_for(mapped: Msp) -> None:
    plan_id = preview(mapped)
    with transaction() as session:
        was = {"next_due_at": utc_now() - timedelta(days=3)}
        devices = update(Schedule).where(Schedule.kind == SyncKind.DEVICES)
        count_changed(session, devices.values(**was))
    plans.decline_plan(plan_id)
    devices_due = db.session.scalars(
        select(Schedule.next_due_at).where(Schedule.kind == SyncKind.DEVICES)
    ).one()
    assert devices_due > utc_now()


@pytest.mark.one_database
def test_a_sync_by_a_person_needs_no_preview(mapped: Msp) -> None:
    assert mapped.sync().status is RunStatus.SUCCESS
    assert due() is None


@pytest.mark.one_database
def test_an_apply_that_fails_decides_nothing(mapped: Msp) -> None:
    plan_id = preview(mapped)
    mapped.tactical.control.faults.add(kind="status", path="/clients/", times=None, status=500)
    assert plans.apply_to_end(plan_id).status is RunStatus.FAILED
    assert due() is PreviewReason.FIRST_SYNC


def test_a_held_sync_waits_for_its_plan(msp: Msp) -> None:
    msp.import_fleet()
    with transaction() as session:
        due_now = {"preview_due": PreviewReason.NEW_SOURCE, "preview_due_at": utc_now()}
        count_changed(session, update(Integration).values(**due_now))
    for agent in msp.agents[:12]:
        msp.tactical.control.agents.remove(agent_id=agent)
    run = msp.sync()
    assert (run.status, due()) == (RunStatus.HELD, PreviewReason.NEW_SOURCE)
    plan = plans.find_plan_of_run(run.id)
    assert plan is not None
    plans.decline_plan(plan.id)
    assert due() is None


def change_key(msp: Msp) -> None:
    msp.connect(api_key=msp.tactical.control.access.add_key())


def change_source(msp: Msp) -> None:
    msp.connect(inventory_source=InventorySource.DASHBOARD)


def change_server(msp: Msp) -> None:
    msp.connect(base_url=msp.tactical.url.replace("127.0.0.1", "localhost"))


def change_sign_in(msp: Msp) -> None:
    settings = ConnectionSettings(auth_mode=AuthMode.PASSWORD, username="x", password="y")
    save_connection(settings)


def come_back(msp: Msp) -> None:
    disconnect()
    msp.connect()


CHANGES: list[tuple[Callable[[Msp], None], PreviewReason]] = [
    (change_server, PreviewReason.NEW_SERVER),
    (change_source, PreviewReason.NEW_SOURCE),
    (change_key, PreviewReason.NEW_CREDENTIALS),
    (change_sign_in, PreviewReason.NEW_CREDENTIALS),
    (come_back, PreviewReason.NEW_CREDENTIALS),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("act", "reason"), CHANGES)
def test_a_change_asks_for_a_preview(
    msp: Msp, act: Callable[[Msp], None], reason: PreviewReason
) -> None:
    msp.import_fleet()
    plan_id = preview(msp)
    act(msp)
    assert due() is reason
    plans.decline_plan(plan_id)
    assert due() is reason  # that plan is of what was before


@pytest.mark.parametrize(
    "options", [{}, {"page_size": 7}, {"inventory_source": InventorySource.AUTO}]
)
@pytest.mark.one_database
def test_saving_the_same_again_asks_for_none(msp: Msp, options: dict[str, Any]) -> None:
    msp.import_fleet()
    assert msp.connect(**options).ok
    assert due() is None


@pytest.mark.one_database
def test_what_tells_most_is_the_reason(msp: Msp) -> None:
    msp.connect()
    change_source(msp)
    assert due() is PreviewReason.FIRST_SYNC
    msp.sync()
    change_source(msp)
    msp.connect(inventory_source=InventorySource.BETA)
    change_key(msp)
    assert due() is PreviewReason.NEW_SOURCE


@pytest.mark.one_database
def test_a_scheduled_sync_that_waited_for_a_worker_is_not_done(msp: Msp) -> None:
    msp.import_fleet()
    run, _ = requests.request_run(SyncKind.DEVICES, "schedule")
    change_key(msp)
    execution.run_queued(run.id)
    db.session.rollback()
    ended = db.session.get_one(SyncRun, run.id)
    assert (ended.status, ended.error) == (RunStatus.CANCELLED, execution.WAITS_FOR_PREVIEW)


@pytest.mark.one_database
def test_a_sync_from_before_the_change_does_not_count(msp: Msp) -> None:
    msp.import_fleet()
    change_key(msp)
    with transaction() as session:
        integration = session.get_one(Integration, get_integration().id)
        integration.preview_due_at = utc_now() + timedelta(minutes=1)
    assert msp.sync().status is RunStatus.SUCCESS
    assert due() is PreviewReason.NEW_CREDENTIALS


def test_a_new_server_at_the_address_asks_for_a_preview(msp: Msp) -> None:
    msp.import_fleet()
    with transaction() as session:
        values = {"state": "held", "server_verified": False}
        count_changed(session, update(Integration).values(**values))
    db.session.rollback()
    decide_server(ServerChoice.NEW)
    assert due() is PreviewReason.NEW_SERVER
