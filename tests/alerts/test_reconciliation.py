"""Reconciling: afterwards the portal has what Tactical has, or says why not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Alert, Event, SyncRun
from portal.models.alerts.alert import AlertSource, AlertStatus
from portal.models.events.event import EventType
from portal.models.runs.sync_run import RunStatus
from portal.services.alerts.exporting import ALERT_COLUMNS, export_alerts
from portal.services.csv_lines import to_csv
from portal.services.integrations import connect
from portal.services.runs.history import list_errors
from portal.tactical.alerts import TacticalAlerts
from tests.alerts.conftest import Msp

pytestmark = pytest.mark.mainly("postgresql")

LIST = "/alerts/"
REFUSAL = {"detail": "You do not have permission to perform this action."}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause, and no Redis."""
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)


def test_the_lines_of_a_message_are_kept(msp: Msp, http: FlaskClient) -> None:
    """As the script wrote them, wherever they are shown, but for control characters."""
    pk = msp.raise_alert(message="=Backup failed:\r\n  disk full\x07\n\nSee the log")
    told = "=Backup failed:\n  disk full\n\nSee the log"
    msp.sync()
    assert msp.alert(pk).message == told
    with msp.scope():
        [event] = db.session.scalars(select(Event).where(Event.type == EventType.ALERT_TRIGGERED))
        assert event.payload["message"] == told
        lines = "".join(to_csv(ALERT_COLUMNS, export_alerts()))
    [row] = csv.DictReader(io.StringIO(lines))
    assert row["message"] == f"'{told}"


def test_what_is_done_about_alerts_that_it_finds_is_decided_at_once(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[tuple[Any, ...]] = []

    def enqueue(*job: Any) -> bool:
        jobs.append(job)
        return True

    monkeypatch.setattr(queue, "enqueue", enqueue)
    msp.raise_alert()
    msp.sync()
    assert ("handle_alerts", msp.id) in jobs


def stored(msp: Msp) -> dict[str, AlertStatus]:
    with msp.scope():
        return {str(a.external_alert_id): a.status for a in db.session.scalars(select(Alert))}


def truth(msp: Msp) -> dict[str, AlertStatus]:
    return {
        str(alert["id"]): AlertStatus.RESOLVED
        if alert["resolved"]
        else AlertStatus.SNOOZED
        if alert["snoozed"]
        else AlertStatus.ACTIVE
        for alert in msp.tactical.control.truth.alerts()
    }


def warnings(msp: Msp, run: SyncRun) -> list[str]:
    with msp.scope():
        return list_errors(run.id)


@pytest.mark.one_database
def test_after_an_outage_of_the_intake_everything_active_is_there(msp: Msp) -> None:
    """Raised, resolved, opened again and snoozed, with no webhook set up at all."""
    pks = [msp.raise_alert(at, severity=word) for at in range(4) for word in ("error", "warning")]
    msp.sync()
    control = msp.tactical.control.alerts
    for pk in pks[:3]:
        control.resolve(pk)
    msp.sync()
    control.edit(pks[0], resolved=False)
    control.edit(pks[4], snoozed=True, snooze_until=utc_now() + timedelta(days=1))
    new = [msp.raise_alert(5) for _ in range(3)]
    run = msp.sync()
    assert (run.status, run.error) == (RunStatus.SUCCESS, None)
    assert stored(msp) == truth(msp)
    assert {AlertStatus.ACTIVE, AlertStatus.RESOLVED, AlertStatus.SNOOZED} == set(
        stored(msp).values()
    )
    assert all(msp.alert(pk).source is AlertSource.BACKFILL for pk in new)
    assert msp.alert(pks[0]).occurrences == 2


def reconcile_later(msp: Msp, **after: float) -> list[Any]:
    """What was asked of the lists of alerts by a reconciliation that comes so much later."""
    msp.tactical.control.log.clear()
    with time_machine.travel(utc_now() + timedelta(**after), tick=False):
        assert msp.sync().status is RunStatus.SUCCESS
    return [r for r in msp.tactical.control.log.entries() if r.method == "PATCH"]


@pytest.mark.one_database
def test_what_began_and_ended_while_the_portal_was_down_appears(msp: Msp) -> None:
    msp.raise_alerts(1)
    over = msp.raise_alert(1, message="Seen by nobody")
    msp.tactical.control.alerts.resolve(over)
    assert len(reconcile_later(msp, minutes=9)) == 1  # a little late is not down
    assert str(over) not in stored(msp)
    assert len(reconcile_later(msp, minutes=35)) == 2
    assert stored(msp) == truth(msp)
    alert = msp.alert(over)
    assert (alert.message, alert.source) == ("Seen by nobody", AlertSource.BACKFILL)
    with msp.scope():
        events = db.session.scalars(select(Event).where(Event.type == EventType.ALERT_RESOLVED))
        assert [event.payload["external_alert_id"] for event in events] == [str(over)]


@pytest.mark.one_database
def test_it_looks_back_as_many_days_as_the_portal_was_down(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def list_since(_alerts: TacticalAlerts, days: int) -> Iterator[Any]:
        asked.append(days)
        return iter(())

    monkeypatch.setattr(TacticalAlerts, "list_since", list_since)
    msp.sync()
    for hours in (24 * 3 + 1, 24 * 365 * 3):
        reconcile_later(msp, hours=hours)
    assert asked == [4, 365]
    with msp.scope(), transaction() as session:  # nothing looks at the clock any more
        session.execute(update(SyncRun).values(status=RunStatus.FAILED))
    reconcile_later(msp, hours=24 * 365 * 4)
    assert asked == [4, 365]


@pytest.mark.one_database
def test_again_it_changes_nothing(msp: Msp) -> None:
    msp.raise_alerts(5)
    run = msp.sync()
    assert (run.seen, run.unchanged, run.created, run.updated) == (5, 5, 0, 0)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html"},
        {"kind": "empty"},
        {"kind": "redirect"},
        {"kind": "json", "body": {"alerts_count": 0, "alerts": []}},
        {"kind": "json", "body": "no"},
        {"kind": "status", "status": 500},
        {"kind": "cut_json", "size": 1},
        {"kind": "reset"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values())[:20],
)
def test_only_an_array_is_an_answer(msp: Msp, fault: dict[str, Any]) -> None:
    pks = msp.raise_alerts(3)
    msp.tactical.control.alerts.resolve(pks[0])
    msp.tactical.control.faults.add(path=LIST, method="PATCH", times=None, **fault)
    run = msp.sync()
    assert run.status is RunStatus.FAILED
    assert run.error
    assert set(stored(msp).values()) == {AlertStatus.ACTIVE}
    msp.tactical.control.faults.clear()
    assert msp.sync().status is RunStatus.SUCCESS
    assert stored(msp) == truth(msp)


@pytest.mark.one_database
def test_what_the_list_does_not_show_is_asked_for_and_closed_when_resolved_or_gone(
    msp: Msp,
) -> None:
    resolved, gone, open_still = msp.raise_alerts(3)
    msp.tactical.control.alerts.resolve(resolved)
    msp.tactical.control.alerts.remove(gone)
    # As for a key whose role is limited: the list lacks it, and it is told when asked for.
    msp.tactical.control.faults.add("json", LIST, method="PATCH", body=[], times=None)
    run = msp.sync()
    assert run.status is RunStatus.SUCCESS
    assert stored(msp) == {
        str(resolved): AlertStatus.RESOLVED,
        str(gone): AlertStatus.RESOLVED,
        str(open_still): AlertStatus.ACTIVE,
    }


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "json", "status": 403, "body": REFUSAL},
        {"kind": "status", "status": 500},
        {"kind": "html"},
        {"kind": "status", "status": 404},  # a page: another server's, or a proxy's
        {"kind": "drop"},
    ],
    ids=["403", "500", "html", "html-404", "drop"],
)
def test_a_refusal_or_an_error_leaves_it_open_and_says_so(msp: Msp, fault: dict[str, Any]) -> None:
    pks = msp.raise_alerts(2)
    for pk in pks:
        msp.tactical.control.alerts.resolve(pk)
    for pk in pks:
        msp.tactical.control.faults.add(path=f"/alerts/{pk}/", times=None, **fault)
    run = msp.sync()
    assert run.status is RunStatus.PARTIAL
    assert set(stored(msp).values()) == {AlertStatus.ACTIVE}
    assert sum("stays open" in text for text in warnings(msp, run)) == 2
    msp.tactical.control.faults.clear()
    msp.sync()
    assert set(stored(msp).values()) == {AlertStatus.RESOLVED}


def test_alerts_of_any_origin_are_closed(msp: Msp, http: FlaskClient) -> None:
    """One of a webhook, one unconfirmed, one without an id, one of the list."""
    by_webhook, unconfirmed, listed = (msp.raise_alert(at) for at in range(3))
    msp.deliver(http, agent_id=msp.agents[0], alert_id=str(by_webhook), event="trigger")
    msp.process()
    msp.tactical.control.faults.add("drop", "/alerts/*", times=None)
    msp.deliver(http, agent_id=msp.agents[1], alert_id=str(unconfirmed), event="trigger")
    msp.deliver(http, agent_id=msp.agents[3], event="trigger", alert_type="check", check_id="7")
    msp.process()
    msp.tactical.control.faults.clear()
    with msp.scope(), transaction() as session:  # told a while ago
        for alert in session.scalars(select(Alert)):
            alert.received_at = utc_now() - timedelta(minutes=1)
    msp.sync()
    for pk in (by_webhook, unconfirmed, listed):
        msp.tactical.control.alerts.resolve(pk)
    msp.sync()
    with msp.scope():
        found = list(db.session.scalars(select(Alert)))
        assert len(found) == 4
        assert {alert.status for alert in found} == {AlertStatus.RESOLVED}
        assert {alert.source for alert in found} == set(AlertSource)


def test_the_last_days_are_read_when_wanted(msp: Msp) -> None:
    pks = [msp.raise_alert(at) for at in range(2)]
    for pk in pks:
        msp.tactical.control.alerts.resolve(pk)
    msp.sync()
    assert stored(msp) == {}  # active only, as it is set at first
    with msp.scope():
        connect.save_connection(connect.ConnectionSettings(options={"alert_history_days": 7}))
    msp.sync()
    assert stored(msp) == truth(msp)
    assert set(stored(msp).values()) == {AlertStatus.RESOLVED}


@pytest.mark.one_database
def test_a_row_that_cannot_be_read_costs_itself(msp: Msp) -> None:
    pks = [msp.raise_alert(at % 10) for at in range(12)]
    rows = [{"at": 0, "set": {"id": None}}, {"at": 1, "value": "no alert"}]
    msp.tactical.control.faults.add("bad_rows", LIST, method="PATCH", rows=rows)
    run = msp.sync()
    assert (run.status, run.seen, run.failed, run.created) == (RunStatus.PARTIAL, 12, 2, 10)
    assert len(stored(msp)) == 10
    msp.sync()
    assert stored(msp).keys() == {str(pk) for pk in pks}
