"""What a storm told that was too much is found again, a moment after its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, SyncRun
from portal.models.alerts.alert import AlertStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services import tick as schedule
from portal.services.deliveries.refused_storms import find_refusals
from portal.services.runs import execution, history, requests
from tests.alerts.conftest import Msp

pytestmark = pytest.mark.mainly("postgresql")

BURST = 10


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)
    with time_machine.travel(utc_now(), tick=False) as traveller:
        yield traveller


def storm(msp: Msp, http: FlaskClient) -> int:
    """Its last alert began and ended, and none of both was let in; its id at Tactical."""
    msp.app.extensions["settings"] = replace(msp.app.extensions["settings"], webhook_rate=1)
    for _ in range(BURST + 1):
        msp.deliver(http, agent_id=msp.agents[0])
    pk = msp.raise_alert(1, message="Told to nobody")
    msp.tactical.control.alerts.resolve(pk)
    headers = {"X-Alga-Webhook-Secret": msp.secret}
    for event in ("trigger", "resolve"):
        body = {"agent_id": msp.agents[1], "alert_id": str(pk), "event": event}
        url = f"/api/webhooks/tacticalrmm?tenant={msp.slug}"
        assert http.post(url, json=body, headers=headers).status_code == 429
    return pk


def tick(msp: Msp) -> list[SyncRun]:
    """The reconciliations that wait after it."""
    with msp.app.app_context():
        schedule.tick()
    with msp.scope():
        runs = history.list_runs(SyncKind.ALERTS).items
        return [run for run in runs if run.status is RunStatus.QUEUED]


def find_alert(msp: Msp, pk: int) -> Alert | None:
    with msp.scope():
        return db.session.scalar(select(Alert).where(Alert.external_alert_id == str(pk)))


def is_reconciled(msp: Msp) -> bool:
    with msp.scope():
        found = find_refusals()
        assert found is not None
        return found.is_reconciled


def run(msp: Msp, waiting: SyncRun) -> None:
    with msp.scope():
        execution.run_queued(waiting.id)


def test_what_began_and_ended_in_a_refused_storm_appears(
    msp: Msp, http: FlaskClient, clock: time_machine.Traveller
) -> None:
    msp.sync()
    pk = storm(msp, http)
    assert tick(msp) == [], "it may go on"
    clock.shift(11)
    [waiting] = tick(msp)
    assert waiting.trigger == "webhook"
    assert len(tick(msp)) == 1
    run(msp, waiting)
    found = find_alert(msp, pk)
    assert found is not None
    assert (found.status, found.message) == (AlertStatus.RESOLVED, "Told to nobody")
    with msp.scope():
        told = [entry.reason or "" for entry in history.list_log_entries(waiting.id).items]
    assert any("Webhooks have been refused since" in reason for reason in told)
    assert is_reconciled(msp)
    clock.shift(60)
    assert tick(msp) == []


def test_without_a_regular_reconciliation_it_is_done_too(
    msp: Msp, http: FlaskClient, clock: time_machine.Traveller
) -> None:
    """And by a tenant that never had one: what was refused is news."""
    pk = storm(msp, http)
    clock.shift(11)
    run(msp, tick(msp)[0])
    assert find_alert(msp, pk) is not None


def test_a_look_at_the_list_during_the_storm_is_not_enough(
    msp: Msp, http: FlaskClient, clock: time_machine.Traveller
) -> None:
    storm(msp, http)
    clock.shift(5)
    msp.sync()
    assert not is_reconciled(msp)
    clock.shift(6)
    assert len(tick(msp)) == 1


def test_it_is_tried_again_when_it_failed(
    msp: Msp, http: FlaskClient, clock: time_machine.Traveller
) -> None:
    pk = storm(msp, http)
    clock.shift(11)
    [waiting] = tick(msp)
    with msp.scope():
        requests.cancel_run(waiting.id)
    assert tick(msp) == []
    assert not is_reconciled(msp)
    clock.shift(timedelta(minutes=5, seconds=1))
    run(msp, tick(msp)[0])
    assert is_reconciled(msp)
    assert find_alert(msp, pk) is not None
