"""The dashboard's lists: when what Tactical knows was last read, and the clients that need most."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Alert, Asset, Client, SyncRun
from portal.models.alerts.alert import Severity
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration
from tests.web.world import Place, make_alert, make_asset

pytestmark = pytest.mark.one_database


def test_what_should_have_been_read_since_is_late(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = get_integration()
        integration.device_sync_minutes, integration.alert_sync_minutes = 60, 10
        integration.software_sync_minutes = 0
        for kind, ago in (
            (SyncKind.ALERTS, timedelta(minutes=15)),  # one read may come late
            (SyncKind.SOFTWARE, timedelta(days=9)),  # nothing reads it by itself
        ):
            at = utc_now() - ago
            run = SyncRun(integration_id=integration.id, kind=kind, status=RunStatus.SUCCESS)
            run.trigger, run.started_at, run.finished_at = "schedule", at, at
            session.add(run)
        devices = session.get_one(SyncRun, acme.run)
        devices.started_at = devices.finished_at = utc_now() - timedelta(hours=3)

    page = admin.get(acme.url()).text
    _, _, last_read = page.partition("Last read from Tactical")
    found = re.findall(r"<li>(.*?)</li>", last_read.partition("</ul>")[0], re.DOTALL)
    lines = {re.findall(r"<span>([^<]+)</span>", line)[0]: line for line in found}
    late = {name for name, line in lines.items() if "Late" in line}
    assert {"Devices", "Alerts", "Software", "By webhook"} <= lines.keys()
    assert late & {"Devices", "Alerts", "Software"} == {"Devices"}
    assert acme.url("sync-runs/?kind=devices") in lines["Devices"]


def test_five_clients_are_shown_of_those_that_need_something(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    """The one with the fewest errors is left to the list of clients."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        own = session.get_one(Asset, acme.asset)
        session.delete(session.get_one(Alert, acme.alert))
        for errors in range(1, 7):
            client = Client(name=f"With {errors}")
            session.add(client)
            session.flush()
            asset = make_asset(own.integration_id, client.id, f"pc-of-{errors}")
            session.add(asset)
            session.flush()
            for number in range(errors):
                alert = make_alert(asset)
                alert.external_alert_id, alert.severity = f"{errors}-{number}", Severity.ERROR
                session.add(alert)
    page = admin.get(acme.url()).text.partition("Clients that need most")[2]
    shown = re.findall(r'<th scope="row"><a href="[^"]+/clients/\d+"[^>]*>([^<]+)</a>', page)
    assert shown == [f"With {errors}" for errors in range(6, 1, -1)]
