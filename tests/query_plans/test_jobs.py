"""Nothing that workers or the scheduler do over and over walks through a big table."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from benchmarks.seed import seed
from portal.clock import utc_now
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.assets.nightly_counts import count_days
from portal.services.deliveries import history as delivery_history
from portal.services.deliveries import processing
from portal.services.events import activity, delivery
from portal.services.events.subscribers import add_subscriber
from portal.services.integrations.current import get_active_integration
from portal.services.runs import history as run_history
from portal.services.tick import tick
from portal.services.webhook.keys import reveal
from tactical_simulator import SimulatedTactical
from tests.query_plans.plans import asked
from tests.query_plans.test_pages import OTHERS
from tests.support.msp import Msp

NOBODY_LISTENS = "http://127.0.0.1:9/"


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch) -> Msp:
    """A small tenant beside two large ones."""
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    seed(app, OTHERS, OTHERS, others=1, is_looked_at=False)
    with app.app_context():
        return Msp(app, tactical, add_tenant("Acme MSP", "acme").id)


def deliver(msp: Msp, http: FlaskClient) -> None:
    with msp.scope():
        secret = reveal()
    for agent in msp.agents[:3]:
        pk = msp.tactical.control.alerts.trigger(agent, "check")
        body = json.dumps({"agent_id": agent, "alert_id": str(pk), "event": "trigger"})
        headers = {"X-Alga-Webhook-Secret": secret}
        http.post("/api/webhooks/tacticalrmm?tenant=acme", data=body, headers=headers)


def test_no_job_walks_through_a_big_table(msp: Msp, http: FlaskClient) -> None:
    with msp.app.app_context(), asked() as found:
        with tenant_scope(msp.id):
            msp.import_fleet()
            subscriber = add_subscriber(NOBODY_LISTENS)[0].id
            for kind in (SyncKind.DEVICES, SyncKind.STATUS, SyncKind.SOFTWARE, SyncKind.ALERTS):
                assert msp.sync(kind).error is None
        deliver(msp, http)
        with tenant_scope(msp.id):
            processing.process_due()
            msp.sync_agent(msp.agents[0])
            delivery.deliver_events(subscriber)
            integration_id = get_active_integration().id
            delivery_history.prune_deliveries(integration_id)
            run_history.prune_runs(integration_id)
            activity.prune_events()
            with time_machine.travel(utc_now() + timedelta(days=2)):
                assert count_days(integration_id) == 2
        tick()
        walks = found.walks()
    assert not walks, "\n".join(walks)
