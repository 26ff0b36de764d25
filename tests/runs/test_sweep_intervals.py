"""How often each fleet's status is swept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rq.worker_registration import WORKERS_BY_QUEUE_KEY
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.config import Settings
from portal.db import db, transaction
from portal.models import Schedule
from portal.models.runs.sync_run import SyncKind
from portal.scope import all_tenants, tenant_scope
from portal.services.integrations import connect
from portal.services.integrations.connect import ConnectionSettings
from portal.services.integrations.current import get_integration
from portal.services.integrations.option_kinds import AUTO
from portal.services.integrations.status import read_status
from portal.services.integrations.sweep_intervals import fit_intervals
from tests.runs.world import add_msp
from tests.support.msp import Msp


def intervals() -> list[int]:
    """In minutes, by tenant, once the tick has seen to them."""
    fit_intervals()
    db.session.rollback()
    with all_tenants():
        found = db.session.scalars(
            select(Schedule.every_seconds).where(Schedule.kind == "status").order_by(Schedule.id)
        ).all()
    db.session.rollback()
    return [seconds // 60 for seconds in found]


@pytest.mark.usefixtures("context")
def test_reading_a_fleet_takes_a_twentieth_of_the_time_at_most() -> None:
    sizes = [0, 400, 1000, 1001, 3000, 9999, 10_000, 40_000]
    for number, agents in enumerate(sizes):
        add_msp(number, agents, status_sweep_minutes=None if number else 0)
    add_msp(99, 10_000, status_sweep_minutes=1)
    with transaction() as session, all_tenants():
        chosen = select(Schedule).where(Schedule.kind == "status").order_by(Schedule.id)
        found = session.scalars(chosen).all()
        assert [each.every_seconds // 60 for each in found] == [1, 1, 2, 3, 10, 10, 10, 1]


@pytest.mark.usefixtures("context")
def test_a_fleet_that_grows_is_swept_less_often_from_the_next_tick_on() -> None:
    tenant_id = add_msp(1, 900)
    assert intervals() == [1]
    with tenant_scope(tenant_id), transaction():
        get_integration().found_agents = 2500
    assert intervals() == [3]
    with tenant_scope(tenant_id), transaction() as session:
        get_integration().found_agents = 10
        due = session.scalars(select(Schedule).where(Schedule.kind == "status")).one()
        due.next_due_at = utc_now() + timedelta(minutes=3)
    assert intervals() == [1]
    with tenant_scope(tenant_id):
        due = db.session.scalars(select(Schedule).where(Schedule.kind == "status")).one()
        assert due.next_due_at <= utc_now() + timedelta(minutes=1)


@pytest.mark.one_database
def test_a_look_at_the_whole_fleet_tells_its_size(msp: Msp) -> None:
    msp.import_fleet()
    with transaction():
        get_integration().found_agents = None
    msp.sync(SyncKind.STATUS)
    assert get_integration().found_agents == len(msp.agents)
    msp.tactical.control.agents.remove(agent_id=msp.agents[0])
    msp.sync(SyncKind.DEVICES)
    assert get_integration().found_agents == len(msp.agents)


@pytest.mark.one_database
@pytest.mark.usefixtures("context")
def test_sweeps_fill_half_of_the_steady_workers_at_most(settings: Settings) -> None:
    """One worker does nineteen sweeps a minute of 1,000 agents each."""
    tenants = [add_msp(number, 1000) for number in range(9)]
    assert set(intervals()) == {1}
    with tenant_scope(tenants[0]):
        found = read_status(get_integration()).sweep_interval
        assert found is not None
        assert (found.seconds, found.is_auto, found.is_stretched) == (60, True, False)
    tenants += [add_msp(number, 1000) for number in range(9, 20)]
    assert set(intervals()) == {3}
    with tenant_scope(tenants[0]):
        found = read_status(get_integration()).sweep_interval
        assert found is not None
        assert (found.seconds, found.is_auto, found.is_stretched) == (180, True, True)

    with queue.connect(settings) as redis:
        redis.sadd(WORKERS_BY_QUEUE_KEY % queue.STEADY, "one", "two", "three")
    assert set(intervals()) == {1}


@pytest.mark.usefixtures("context")
def test_a_fixed_interval_is_stretched_by_nothing() -> None:
    add_msp(0, 10_000, status_sweep_minutes=1)
    add_msp(1, 10_000)
    assert intervals() == [1, 12]


def test_the_setting_is_auto_a_number_or_never(msp: Msp) -> None:
    msp.connect_untested()
    assert get_integration().status_sweep_minutes is None
    connect.save_connection(ConnectionSettings(options={"status_sweep_minutes": 7}))
    assert intervals() == [7]
    connect.save_connection(ConnectionSettings(options={"page_size": 10}))
    assert get_integration().status_sweep_minutes == 7
    connect.save_connection(ConnectionSettings(options={"status_sweep_minutes": 0}))
    assert intervals() == []
    connect.save_connection(ConnectionSettings(options={"status_sweep_minutes": AUTO}))
    assert intervals() == [1]
