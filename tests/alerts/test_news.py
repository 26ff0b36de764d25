"""Each occurrence of an alert opens one handling, in the transaction that writes the alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, AlertHandling, Helpdesk, Ticket, TicketAlert, TimelineEntry
from portal.models.alerts.handling import HandlingState
from portal.models.alerts.timeline import TimelineKind
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.listing import list_alerts
from portal.services.alerts.snoozing import snooze
from portal.services.integrations import connect
from portal.sync.alerts import news
from tests.alerts.conftest import Msp

UNDECIDED, SILENT = HandlingState.UNDECIDED, HandlingState.SILENT
RECEIVED, CONFIRMED = TimelineKind.RECEIVED, TimelineKind.CONFIRMED
ALERT = "/alerts/*"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause, no Redis, and nobody who decides what is done."""
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)
    monkeypatch.setattr("portal.services.deliveries.processing.handle_due", lambda: 0)


def handlings(msp: Msp) -> list[AlertHandling]:
    with msp.scope():
        return list(db.session.scalars(select(AlertHandling).order_by(AlertHandling.id)))


def timeline(msp: Msp) -> list[tuple[int, TimelineKind]]:
    with msp.scope():
        entries = db.session.scalars(select(TimelineEntry).order_by(TimelineEntry.id))
        return [(each.alert_id, each.kind) for each in entries]


def tell(msp: Msp, http: FlaskClient, event: str = "trigger", **fields: Any) -> None:
    msp.deliver(http, agent_id=msp.agents[0], event=event, **fields)
    msp.process()


def hang_on_ticket(handling: AlertHandling) -> None:
    helpdesk = Helpdesk(kind="mail", name="Mail")
    db.session.add(helpdesk)
    db.session.flush()
    texts = ("outage", "key", "queue", "subject", "body")
    ticket = Ticket(helpdesk_id=helpdesk.id, **dict.fromkeys(texts, "disk"))
    db.session.add(ticket)
    db.session.flush()
    its = {"alert_id": handling.alert_id, "occurrence": handling.occurrence}
    db.session.add(TicketAlert(ticket_id=ticket.id, handling_id=handling.id, **its))


@pytest.mark.one_database
def test_each_occurrence_has_a_handling_that_ends_with_it(msp: Msp) -> None:
    [pk] = msp.raise_alerts(1)
    [first] = handlings(msp)
    alert = msp.alert(pk)
    assert (first.alert_id, first.occurrence, first.state) == (alert.id, 1, UNDECIDED)
    assert (first.began_at, first.over_at) == (alert.triggered_at, None)
    assert first.due_at is not None
    msp.tactical.control.alerts.resolve(pk)
    msp.sync()
    assert [each.over_at for each in handlings(msp)] == [msp.alert(pk).resolved_at]
    msp.tactical.control.alerts.edit(pk, resolved=False)
    msp.sync()
    msp.sync()
    first, second = handlings(msp)
    assert first.over_at is not None
    assert (second.occurrence, second.over_at, second.reopened) == (2, None, 0)
    kinds = [RECEIVED, CONFIRMED, TimelineKind.RESOLVED, RECEIVED]
    assert timeline(msp) == [(alert.id, kind) for kind in kinds]


@pytest.mark.one_database
def test_what_is_first_read_as_resolved_is_silent_and_not_looked_at(msp: Msp) -> None:
    pk = msp.raise_alert()
    with msp.scope():
        connect.save_connection(connect.ConnectionSettings(options={"alert_history_days": 7}))
    msp.tactical.control.alerts.resolve(pk)
    msp.sync()
    [handling] = handlings(msp)
    assert (handling.state, handling.reason) == (SILENT, news.OVER_AT_FIRST)
    assert handling.due_at is None
    assert handling.over_at is not None


@pytest.mark.one_database
def test_a_hint_opens_one_and_the_record_confirms_it(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    msp.tactical.control.faults.add("drop", ALERT, times=None)
    tell(msp, http, alert_id=str(pk))
    [handling] = handlings(msp)
    assert [kind for _, kind in timeline(msp)] == [RECEIVED]
    msp.tactical.control.faults.clear()
    msp.sync()
    assert [each.id for each in handlings(msp)] == [handling.id]
    assert [kind for _, kind in timeline(msp)] == [RECEIVED, CONFIRMED]


@pytest.mark.one_database
def test_what_was_only_said_to_be_over_is_decided_anew(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    msp.tactical.control.faults.add("drop", ALERT, times=None)
    tell(msp, http, alert_id=str(pk))
    with msp.scope():
        [handling] = db.session.scalars(select(AlertHandling))
        handling.state, handling.due_at = SILENT, None
        db.session.commit()
    tell(msp, http, "resolve", alert_id=str(pk))
    [handling] = handlings(msp)
    assert handling.over_at is not None
    assert handling.due_at is not None
    msp.tactical.control.faults.clear()
    msp.sync()
    [handling] = handlings(msp)
    assert (handling.over_at, handling.reopened, handling.state) == (None, 1, UNDECIDED)


def test_a_record_takes_over_what_was_done_about_its_nameless_alert(
    msp: Msp, http: FlaskClient
) -> None:
    msp.tactical.control.faults.add("drop", ALERT, times=None)
    tell(msp, http, alert_type="availability")
    [nameless] = handlings(msp)
    with msp.scope():
        [handling] = db.session.scalars(select(AlertHandling))
        handling.state, handling.due_at = HandlingState.ACTED, None
        hang_on_ticket(handling)
        db.session.commit()
        snooze([handling.alert_id], utc_now() + timedelta(hours=1), by="anna")
    msp.tactical.control.faults.clear()
    pk = msp.tactical.control.alerts.add(agent_id=msp.agents[0], alert_type="availability")
    msp.sync()
    with msp.scope():
        [alert] = db.session.scalars(select(Alert))
    assert alert.external_alert_id == str(pk)
    [handling] = handlings(msp)
    assert (handling.id, handling.alert_id) == (nameless.id, alert.id)
    assert (handling.state, handling.reopened, handling.over_at) == (HandlingState.ACTED, 0, None)
    assert (alert.status, alert.snoozed_by) == ("snoozed", "anna")
    kinds = (RECEIVED, TimelineKind.SNOOZED, CONFIRMED)
    assert timeline(msp) == [(alert.id, kind) for kind in kinds]
    with msp.scope():
        assert [row.alert.id for row in list_alerts(AlertFilter(ticket="with")).items] == [alert.id]
