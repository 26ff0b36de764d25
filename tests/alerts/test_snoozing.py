"""Snoozing for hours: in the portal alone, kept against Tactical's word, and ended by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.models import Event
from portal.models.alerts.alert import AlertStatus
from portal.scope import all_tenants
from portal.services.alerts import snoozing
from portal.services.alerts.listing import count_active_by_severity, count_by_status
from portal.services.alerts.results import AlertAction
from portal.services.handling import deciding
from portal.services.tick import tick
from tests.alerts.conftest import Msp
from tests.alerts.test_actions import act, writes


def snooze(msp: Msp, pks: list[int], **hours: float) -> Any:
    ids = msp.ids_of(pks)
    with msp.scope():
        return snoozing.snooze(ids, utc_now() + timedelta(**hours), by="anna@acme.example")


def work(msp: Msp) -> None:
    with msp.scope():
        deciding.handle_due()


def test_tactical_does_not_wake_it_and_the_clock_does(
    msp: Msp, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pks = msp.raise_alerts(2)
    assert snooze(msp, pks, hours=1).summary == "2 alerts snoozed."
    assert writes(msp) == []
    msp.sync()
    msp.deliver(http, event="trigger", alert_id=str(pks[0]), agent_id=msp.agents[0])
    msp.process()
    for alert in map(msp.alert, pks):
        assert (alert.status, alert.snoozed_by) == (AlertStatus.SNOOZED, "anna@acme.example")
    with msp.scope():
        counts = count_by_status()
        assert (counts["active"], counts["snoozed"], counts["unacknowledged"]) == (0, 2, 0)
        assert count_active_by_severity()["total"] == 0

    jobs: list[tuple[object, ...]] = []

    def enqueue(*job: object) -> bool:
        jobs.append(job)
        return True

    monkeypatch.setattr(queue, "enqueue", enqueue)
    with time_machine.travel(utc_now() + timedelta(minutes=59), tick=False) as clock:
        work(msp)
        assert msp.alert(pks[0]).status is AlertStatus.SNOOZED
        clock.shift(61)
        with msp.app.app_context():
            tick()
        assert ("handle_alerts", msp.id) in jobs
        work(msp)
        with msp.scope():
            assert count_by_status()["active"] == count_active_by_severity()["total"] == 2
            with all_tenants():
                assert snoozing.list_tenants_with_ended_snoozes() == []
            ended = [row for row in db.session.query(Event) if row.type == "rmm.alert.unsnoozed"]
            assert [row.payload["unsnoozed_by"] for row in ended] == [None, None]
    assert (msp.alert(pks[0]).snoozed_until, msp.alert(pks[0]).snoozed_by) == (None, None)


@pytest.mark.one_database
def test_a_snooze_of_tacticals_takes_its_place(msp: Msp) -> None:
    [pk] = msp.raise_alerts(1)
    snooze(msp, [pk], hours=4)
    assert act(msp, AlertAction.SNOOZE, [pk], days=3).summary == "1 snoozed"
    alert = msp.alert(pk)
    assert (alert.status, alert.snoozed_by) == (AlertStatus.SNOOZED, None)
    again = snooze(msp, [pk], hours=1)
    assert [each.reason for each in again.failures] == [
        "The alert is snoozed in Tactical. Unsnooze it first."
    ]
    assert act(msp, AlertAction.UNSNOOZE, [pk]).summary == "1 active again"
    assert msp.alert(pk).status is AlertStatus.ACTIVE


@pytest.mark.one_database
def test_what_is_resolved_meanwhile_begins_anew(msp: Msp) -> None:
    [pk] = msp.raise_alerts(1)
    snooze(msp, [pk], hours=4)
    msp.tactical.control.alerts.edit(pk, resolved=True, resolved_on=utc_now())
    msp.sync()
    alert = msp.alert(pk)
    assert (alert.status, alert.snoozed_by, alert.snoozed_until) == ("resolved", None, None)
    msp.tactical.control.alerts.edit(pk, resolved=False, resolved_on=None)
    msp.sync()
    assert msp.alert(pk).status is AlertStatus.ACTIVE


@pytest.mark.one_database
def test_tomorrow_at_eight_is_by_the_clocks_of_the_reader(app: Flask) -> None:
    with time_machine.travel(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), tick=False):
        # There it is Sunday the 29th already, and summer time begins in the night.
        assert snoozing.find_morning("Europe/Berlin") == datetime(2026, 3, 30, 6, tzinfo=UTC)
        for unknown in ("", "Nowhere/At All", "../etc/passwd", "x\0"):
            assert snoozing.find_morning(unknown) == datetime(2026, 3, 29, 8, tzinfo=UTC)
        for until in (utc_now(), utc_now() + timedelta(days=3)):
            with pytest.raises(InvalidInput):
                snoozing.snooze([1], until)
