"""A server that does not answer, or refuses the credentials, is left alone by the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import AgentRefresh, SyncRun
from portal.models.integrations.integration import AuthMode, Integration, Stop
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services import tick as schedule
from portal.services.integrations import connect, keep_alive, testing
from portal.services.integrations.connect import ConnectionSettings
from portal.services.integrations.current import get_integration
from portal.services.integrations.server_health import find_outage
from portal.services.integrations.shared_sign_in import SharedSignIn
from portal.services.runs import execution, requests
from portal.tactical.errors import WrongKey
from tests.support.msp import Msp
from tests.tactical.accounts import CHECK
from tests.tactical.talking import api_user

pytestmark = pytest.mark.mainly("sqlite")

Jobs = list[tuple[Any, ...]]

OFTEN = {
    "device_sync_minutes": 0,
    "software_sync_minutes": 0,
    "status_sweep_minutes": 1,
    "alert_sync_minutes": 1,
}


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until `pass_time`."""
    start = datetime.now().astimezone().replace(hour=12)
    with time_machine.travel(start, tick=False) as traveller:
        yield traveller


@pytest.fixture
def connected(msp: Msp) -> Msp:
    msp.connect_untested(**OFTEN)
    return msp


def by_password(msp: Msp) -> None:
    user = api_user(msp.tactical)
    test = msp.connect(
        api_key=None,
        auth_mode=AuthMode.PASSWORD,
        username=user.username,
        password=user.password,
        **OFTEN,
    )
    assert test.ok
    msp.tactical.control.log.clear()


def integration() -> Integration:
    db.session.rollback()
    found = get_integration()
    db.session.refresh(found)
    db.session.expunge(found)
    db.session.rollback()
    return found


def go_away(msp: Msp) -> None:
    msp.tactical.control.faults.add("status", "*", status=502, times=None)


def fail(msp: Msp, times: int) -> None:
    for _ in range(times):
        assert msp.sync(SyncKind.STATUS).status is RunStatus.FAILED


def tick(msp: Msp) -> None:
    db.session.rollback()
    with msp.app.app_context():
        schedule.tick()


def count_runs() -> int:
    number = db.session.scalar(select(func.count()).select_from(SyncRun)) or 0
    db.session.rollback()
    return number


def pass_time(noon: time_machine.Traveller, **delta: float) -> None:
    noon.shift(timedelta(**delta))


def test_four_failures_keep_nothing_waiting(
    connected: Msp, jobs: Jobs, noon: time_machine.Traveller
) -> None:
    go_away(connected)
    fail(connected, 4)
    assert find_outage(integration()) is None
    pass_time(noon, minutes=1, seconds=1)
    tick(connected)
    assert [job[0] for job in jobs] == ["sync_steadily", "sync_steadily"]


def test_after_five_failures_one_run_for_each_pause_tries(
    connected: Msp, jobs: Jobs, noon: time_machine.Traveller
) -> None:
    go_away(connected)
    fail(connected, 5)
    began, runs = utc_now(), count_runs()
    outage = find_outage(integration())
    assert outage is not None
    assert (outage.stop, outage.since) == (None, began)
    assert outage.next_try_at == began + timedelta(minutes=2)

    pass_time(noon, minutes=1, seconds=59)
    tick(connected)
    assert (jobs, count_runs()) == ([], runs)

    for pause in (4, 8, 16, 32, 60, 60):
        pass_time(noon, seconds=2)
        tick(connected)
        tick(connected)
        [(_, _, run_id)] = jobs
        jobs.clear()
        execution.run_queued(run_id)
        until = integration().breaker_until
        assert until == utc_now() + timedelta(minutes=pause)
        pass_time(noon, minutes=pause, seconds=-2)
        tick(connected)
        assert jobs == []


@pytest.mark.one_database
def test_the_first_success_of_anything_lets_all_go_on(
    connected: Msp, jobs: Jobs, noon: time_machine.Traveller
) -> None:
    go_away(connected)
    fail(connected, 6)  # commands always try
    pass_time(noon, minutes=1, seconds=30)
    connected.tactical.control.faults.clear()
    assert connected.sync(SyncKind.ORGANIZATIONS).status is RunStatus.SUCCESS
    found = integration()
    assert (found.failures_in_row, found.breaker_until, found.last_error) == (0, None, None)
    tick(connected)
    assert len(jobs) == 2


def test_the_next_try_is_when_there_is_something_to_do(msp: Msp) -> None:
    msp.connect_untested(**OFTEN | {"status_sweep_minutes": 0, "alert_sync_minutes": 90})
    go_away(msp)
    fail(msp, 5)
    outage = find_outage(integration())
    assert outage is not None
    assert outage.next_try_at == utc_now() + timedelta(minutes=90)


@pytest.mark.one_database
def test_a_fault_of_one_record_is_none_of_the_server(connected: Msp) -> None:
    agent = connected.agents[0]
    connected.tactical.control.faults.add("status", f"/agents/{agent}/", status=500, times=None)
    for _ in range(6):
        assert connected.sync_agent(agent).status is RunStatus.FAILED
    assert integration().failures_in_row == 0


def test_refreshes_of_agents_wait_as_well(
    connected: Msp, jobs: Jobs, noon: time_machine.Traveller
) -> None:
    go_away(connected)
    fail(connected, 5)
    with transaction() as session:
        session.add(
            AgentRefresh(integration_id=get_integration().id, agent_id="a" * 40, due_at=utc_now())
        )
    tick(connected)
    assert jobs == []
    connected.tactical.control.faults.clear()
    connected.sync(SyncKind.STATUS)
    tick(connected)
    assert [job[0] for job in jobs] == ["refresh_agent"]


def test_an_unknown_key_stops_the_schedule_at_once_until_a_command_passes(
    connected: Msp, jobs: Jobs, noon: time_machine.Traveller
) -> None:
    access, key = connected.tactical.control.access, connected.tactical.api_key
    access.expire_key(key)
    fail(connected, 1)
    outage = find_outage(integration())
    assert outage is not None
    assert (outage.stop, outage.next_try_at) == (Stop.EXPIRED_KEY, None)
    pass_time(noon, hours=6)
    tick(connected)
    assert jobs == []

    access.remove_key(key)
    access.add_key(key, user="admin")
    assert connected.sync(SyncKind.STATUS).status is RunStatus.SUCCESS
    assert find_outage(integration()) is None
    tick(connected)
    assert len(jobs) == 2


@pytest.mark.parametrize("way", ["save", "test"])
def test_a_save_and_a_test_that_passes_mend_it(connected: Msp, way: str) -> None:
    access, key = connected.tactical.control.access, connected.tactical.api_key
    access.remove_key(key)
    fail(connected, 1)
    assert not testing.test_now().ok
    assert integration().stopped_for is Stop.WRONG_KEY
    access.add_key(key, user="admin")
    if way == "save":
        connect.save_connection(ConnectionSettings())
    else:
        assert testing.test_now().ok
    assert integration().stopped_for is None


def test_a_wrong_password_costs_one_sign_in_however_long_it_lasts(
    msp: Msp, jobs: Jobs, noon: time_machine.Traveller
) -> None:
    by_password(msp)
    access = msp.tactical.control.access
    access.edit_user("apiuser", password="changed")
    access.revoke_tokens()
    for _ in range(100):
        pass_time(noon, minutes=3)
        tick(msp)
        for name, *ids in jobs:
            if name == "sync_steadily":
                execution.run_queued(ids[-1])
            elif name == "keep_alive":
                keep_alive.keep_alive(ids[-1])
        jobs.clear()
    assert len(msp.tactical.control.log.entries(CHECK)) == 1
    assert integration().stopped_for is Stop.WRONG_PASSWORD


def test_a_scheduled_run_that_waited_meanwhile_asks_nothing(connected: Msp, jobs: Jobs) -> None:
    run, _ = requests.request_run(SyncKind.ALERTS, "schedule")
    connected.tactical.control.access.remove_key(connected.tactical.api_key)
    fail(connected, 1)
    connected.tactical.control.log.clear()
    execution.run_queued(run.id)
    db.session.rollback()
    ended = db.session.get_one(SyncRun, run.id, populate_existing=True)
    assert ended.status is RunStatus.CANCELLED
    assert "refuses the credentials" in (ended.error or "")
    assert connected.tactical.control.log.entries() == []


def test_a_refusal_of_credentials_that_were_replaced_meanwhile_stops_nothing(
    connected: Msp,
) -> None:
    old = SharedSignIn(get_integration())
    key = connected.tactical.control.access.add_key()
    assert connected.connect(api_key=key).ok
    old.note_refusal(WrongKey())
    assert integration().stopped_for is None
