"""Whatever comes, in whatever order: the alerts end as Tactical has them."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, Delivery, SyncRun
from portal.models.alerts.alert import AlertStatus, Severity
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.deliveries import agent_refreshes, claims, replay
from portal.services.deliveries.agent_refreshes import GATHER, start_due_refreshes
from portal.services.integrations.current import get_integration
from portal.services.runs import execution
from tests.alerts.conftest import Msp

pytestmark = pytest.mark.mainly("postgresql")

ALERT = "/alerts/*"
TRIGGER, RESOLVE = "trigger", "resolve"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause, and no Redis."""
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)


def hint(msp: Msp, pk: int | None = None, event: str = TRIGGER, at: int = 0, **more: Any) -> Any:
    named = {} if pk is None else {"alert_id": str(pk)}
    return {"agent_id": msp.agents[at], "event": event, **named, **more}


def stored(msp: Msp) -> list[Alert]:
    with msp.scope():
        return list(db.session.scalars(select(Alert).order_by(Alert.id)))


def delivery(msp: Msp, delivery_id: int) -> Delivery:
    with msp.scope():
        return db.session.get_one(Delivery, delivery_id)


# --- Order, repeats, re-opening -------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations((TRIGGER, RESOLVE, TRIGGER))))
@pytest.mark.one_database
def test_any_order_ends_in_tacticals_present_state(
    msp: Msp, http: FlaskClient, order: tuple[str, ...]
) -> None:
    over, open_still = msp.raise_alert(0), msp.raise_alert(1)
    msp.tactical.control.alerts.resolve(over)
    for event in order:
        msp.deliver(http, **hint(msp, over, event))
        msp.deliver(http, **hint(msp, open_still, event, at=1))
        msp.process()
    assert [alert.status for alert in stored(msp)] == [AlertStatus.RESOLVED, AlertStatus.ACTIVE]
    assert [alert.occurrences for alert in stored(msp)] == [1, 1]


@pytest.mark.one_database
def test_the_time_of_resolving_is_tacticals_own(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    msp.tactical.control.alerts.resolve(pk)
    with time_machine.travel(utc_now() + timedelta(hours=3), tick=False):
        msp.deliver(http, **hint(msp, pk, RESOLVE))
        msp.process()
    alert = msp.alert(pk)
    assert alert.resolved_at is not None
    assert alert.resolved_at.isoformat()[:19] == str(msp.truth(pk)["resolved_on"])[:19].replace(
        " ", "T"
    )
    assert alert.confirmed_at is not None


@pytest.mark.one_database
def test_an_alert_that_is_opened_again_is_one_alert_that_happened_twice(
    msp: Msp, http: FlaskClient
) -> None:
    pk = msp.raise_alert()
    msp.deliver(http, **hint(msp, pk))
    msp.process()
    msp.tactical.control.alerts.resolve(pk)
    msp.deliver(http, **hint(msp, pk, RESOLVE))
    msp.process()
    msp.tactical.control.alerts.edit(pk, resolved=False)
    msp.deliver(http, **hint(msp, pk))
    msp.process()
    [alert] = stored(msp)
    assert (alert.status, alert.resolved_at, alert.occurrences) == (AlertStatus.ACTIVE, None, 2)


# --- Whose it is ----------------------------------------------------------------------------


@pytest.mark.one_database
def test_an_agent_that_is_not_known_yet_is_linked_once_it_is(msp: Msp, http: FlaskClient) -> None:
    """Its webhook is even what makes it known: the refresh that follows creates the asset."""
    site = next(a["site_pk"] for a in msp.tactical.control.truth.agents())
    new = msp.tactical.control.agents.add(site=site)
    pk = msp.tactical.control.alerts.trigger(new)
    msp.deliver(http, agent_id=new, alert_id=str(pk), event=TRIGGER)
    msp.process()
    assert [(alert.agent_id, alert.asset_id) for alert in stored(msp)] == [(new, None)]
    with msp.scope():
        execution.run_to_end(SyncKind.AGENT, new)
    [alert] = stored(msp)
    assert alert.asset_id is not None


@pytest.mark.one_database
def test_an_alert_of_no_agent_is_kept(msp: Msp) -> None:
    pk = msp.tactical.control.alerts.add(message="Disk of the server is full")
    msp.sync()
    [alert] = stored(msp)
    assert (alert.external_alert_id, alert.agent_id, alert.asset_id) == (str(pk), None, None)
    assert alert.status is AlertStatus.ACTIVE


@pytest.mark.one_database
def test_another_agent_than_the_record_names_is_told(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert(0)
    told = msp.deliver(http, **hint(msp, pk, at=1))
    msp.process()
    [alert] = stored(msp)
    assert alert.agent_id == msp.agents[0]
    assert "a different agent" in str(delivery(msp, told).outcome)


# --- Text that pretends -----------------------------------------------------------------------

FORGED = (
    '", "alert_id": "{other}", "event": "resolve", "severity": "info", "x": "',
    '"}}, {{"alert_id": "{other}", "event": "resolve"}}',
    '\\", "resolved": "True", "severity": "info',
    '\n"alert_id": {other},\n"event": "resolve"\n',
)


@pytest.mark.parametrize("text", FORGED)
def test_text_in_a_message_resolves_no_other_alert_and_changes_no_severity(
    msp: Msp, http: FlaskClient, text: str
) -> None:
    other = msp.raise_alert(1)
    pk = msp.raise_alert(0, message=text.format(other=other), severity="error")
    msp.sync()
    broken = (
        f'{{"agent_id": "{msp.agents[0]}", "alert_id": "{pk}", "event": "trigger", '
        f'"message": "{text.format(other=other)}", "severity": "error"}}'
    )
    msp.deliver_bytes(http, broken.encode())
    msp.process()
    for each in (pk, other):
        alert = msp.alert(each)
        assert (alert.status, alert.severity) == (AlertStatus.ACTIVE, Severity.ERROR)
    assert len(stored(msp)) == 2


@pytest.mark.one_database
def test_a_forged_resolve_of_a_true_id_is_not_believed(msp: Msp, http: FlaskClient) -> None:
    [pk] = msp.raise_alerts(1)
    msp.deliver(http, **hint(msp, pk, RESOLVE, severity="info", resolved="True"))
    msp.process()
    alert = msp.alert(pk)
    assert (alert.status, alert.severity) == (AlertStatus.ACTIVE, Severity.ERROR)
    msp.tactical.stop()
    msp.deliver(http, **hint(msp, pk, RESOLVE))
    msp.process()  # and neither while nobody can be asked
    assert msp.alert(pk).status is AlertStatus.ACTIVE


# --- While Tactical cannot be asked -----------------------------------------------------------


def test_an_unconfirmed_alert_is_confirmed_later(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert(severity="warning", message="as Tactical has it")
    msp.tactical.control.faults.add("drop", ALERT, times=None)
    told = msp.deliver(http, **hint(msp, pk, severity="error", alert_type="check"))
    msp.process()
    [alert] = stored(msp)
    assert (alert.confirmed_at, alert.status, alert.severity) == (
        None,
        AlertStatus.ACTIVE,
        Severity.ERROR,
    )
    waiting = delivery(msp, told)
    assert (waiting.status, waiting.attempts) == (DeliveryStatus.PENDING, 1)
    assert waiting.due_at is not None
    assert waiting.due_at > utc_now()
    msp.tactical.control.faults.clear()
    with time_machine.travel(waiting.due_at + timedelta(seconds=1), tick=False):
        msp.process()
    [alert] = stored(msp)
    assert alert.confirmed_at is not None
    assert (alert.severity, alert.message) == (Severity.WARNING, "as Tactical has it")
    assert delivery(msp, told).status is DeliveryStatus.PROCESSED


@pytest.mark.one_database
def test_repeats_without_an_answer_are_one_alert_by_id_and_state(
    msp: Msp, http: FlaskClient
) -> None:
    pk = msp.raise_alert()
    msp.tactical.control.faults.add("drop", ALERT, times=None)
    for event in (TRIGGER, TRIGGER, RESOLVE, RESOLVE):
        msp.deliver(http, **hint(msp, pk, event, alert_time="2026-01-02 03:04:05+00:00"))
        msp.process()
    [alert] = stored(msp)
    assert (alert.status, alert.occurrences) == (AlertStatus.RESOLVED, 1)


@pytest.mark.one_database
def test_without_an_id_trigger_and_resolve_of_one_condition_meet(
    msp: Msp, http: FlaskClient
) -> None:
    check: dict[str, Any] = {"alert_type": "check", "check_id": "7"}
    other: dict[str, Any] = {"alert_type": "check", "check_id": "8"}
    for event, fields in ((TRIGGER, check), (TRIGGER, other), (TRIGGER, check), (RESOLVE, check)):
        msp.deliver(http, **hint(msp, None, event, **fields))
        msp.process()
    assert {(a.external_check_id, a.status) for a in stored(msp)} == {
        ("7", AlertStatus.RESOLVED),
        ("8", AlertStatus.ACTIVE),
    }
    assert len(stored(msp)) == 2


def test_after_the_last_attempt_it_is_failed_with_its_reason_and_can_be_replayed(
    msp: Msp, http: FlaskClient
) -> None:
    pk = msp.raise_alert()
    msp.tactical.control.faults.add("status", ALERT, status=502, times=None)
    told = msp.deliver(http, **hint(msp, pk))
    pauses = []
    now = utc_now()
    while (waiting := delivery(msp, told)).status is DeliveryStatus.PENDING:
        assert waiting.due_at is not None
        pauses.append((waiting.due_at - now).total_seconds())
        now = max(now, waiting.due_at + timedelta(seconds=1))
        with time_machine.travel(now, tick=False):
            msp.process()
    assert waiting.status is DeliveryStatus.FAILED
    assert waiting.attempts == len(pauses) == claims.MOST_ATTEMPTS
    assert "502" in str(waiting.reason) or "answer" in str(waiting.reason)
    assert pauses[-1] > 10 * pauses[1] > 0
    assert [alert.confirmed_at for alert in stored(msp)] == [None]  # the hint is kept
    msp.tactical.control.faults.clear()
    with msp.scope():
        replay.reset(told)
    msp.process()
    assert delivery(msp, told).status is DeliveryStatus.PROCESSED
    assert msp.alert(pk).confirmed_at is not None


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 500}, {"kind": "json", "body": {"id": 1, "severity": "odd"}}],
)
def test_alerts_that_tactical_cannot_tell_of_hold_up_no_others(
    msp: Msp, http: FlaskClient, fault: dict[str, Any]
) -> None:
    bad = [msp.raise_alert(at) for at in range(3)]
    good = msp.raise_alert(3)
    for pk in bad:
        msp.tactical.control.faults.add(path=f"/alerts/{pk}/", times=None, **fault)
    told = [msp.deliver(http, **hint(msp, pk)) for pk in (*bad, good)]
    msp.process()
    assert msp.alert(good).confirmed_at is not None
    waiting = [delivery(msp, each) for each in told[:3]]
    assert {each.status for each in waiting} == {DeliveryStatus.PENDING}
    assert all(each.reason for each in waiting)
    with msp.scope():
        assert get_integration().last_error is None


def test_what_cannot_pass_is_not_tried_again(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    refusal = {"detail": "You do not have permission to perform this action."}
    msp.tactical.control.faults.add("json", ALERT, status=403, body=refusal, times=None)
    told = msp.deliver(http, **hint(msp, pk))
    msp.process()
    failed = delivery(msp, told)
    assert (failed.status, failed.attempts) == (DeliveryStatus.FAILED, 1)
    assert failed.reason


# --- The agent is looked at -------------------------------------------------------------------


def test_a_burst_of_a_hundred_alerts_makes_two_refreshes(msp: Msp, http: FlaskClient) -> None:
    agent = msp.agents[0]
    begun = utc_now() + timedelta(hours=1)  # raising them takes as long as it takes
    for number in range(100):
        pk = msp.raise_alert(0)
        msp.deliver(http, **hint(msp, pk))
        if number % 10 == 9:
            with time_machine.travel(begun + timedelta(seconds=number / 10), tick=False):
                msp.process()
                finish_refreshes(msp)
    with time_machine.travel(begun + GATHER + timedelta(seconds=60), tick=False):
        with msp.scope():
            start_due_refreshes()
        finish_refreshes(msp)
    with msp.scope():
        runs = db.session.scalars(select(SyncRun).where(SyncRun.kind == SyncKind.AGENT)).all()
    assert [run.subject for run in runs] == [agent, agent]
    assert len(stored(msp)) == 100


def test_a_refresh_is_not_lost_with_the_process_that_makes_a_run_of_it(
    msp: Msp, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise Killed

    pk = msp.raise_alert(0)
    msp.deliver(http, **hint(msp, pk))
    monkeypatch.setattr(agent_refreshes, "find_or_add_run", die)
    with pytest.raises(Killed):
        msp.process()
    monkeypatch.undo()
    with msp.scope():
        start_due_refreshes()
        [run] = db.session.scalars(select(SyncRun).where(SyncRun.kind == SyncKind.AGENT))
    assert run.subject == msp.agents[0]


def test_an_outage_of_many_agents_leaves_room_for_its_alerts(msp: Msp, http: FlaskClient) -> None:
    """One refresh at a time stands in line, and lets the next one in."""
    agents = msp.agents[:10]
    for at in range(10):
        msp.deliver(http, **hint(msp, msp.raise_alert(at), at=at))
    msp.process()
    refreshed = []
    while waiting := list_waiting(msp):
        [run] = waiting
        refreshed.append(run.subject)
        with msp.scope():
            agent_refreshes.refresh_agent(run.id)
    assert sorted(refreshed) == sorted(agents)


def list_waiting(msp: Msp) -> list[SyncRun]:
    with msp.scope():
        query = select(SyncRun).where(SyncRun.status == RunStatus.QUEUED).order_by(SyncRun.id)
        return list(db.session.scalars(query))


def finish_refreshes(msp: Msp) -> None:
    """As the worker does with what was enqueued."""
    with msp.scope():
        runs = db.session.scalars(select(SyncRun.id).where(SyncRun.kind == SyncKind.AGENT)).all()
        db.session.rollback()
        for run_id in runs:
            execution.run_queued(run_id)


def test_the_refresh_brings_the_asset_up_to_date(msp: Msp, http: FlaskClient) -> None:
    agent = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=agent, hostname="RENAMED")
    pk = msp.raise_alert(0)
    msp.deliver(http, **hint(msp, pk))
    msp.process()
    finish_refreshes(msp)
    with msp.scope():
        [run] = db.session.scalars(select(SyncRun).where(SyncRun.kind == SyncKind.AGENT))
        assert (run.subject, run.trigger, run.updated) == (agent, "webhook", 1)
