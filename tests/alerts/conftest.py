"""A tenant that is connected to the simulated server, mapped and synced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.demo import SimulatedTactical
from portal.models import Alert, SyncRun
from portal.models.integration import AuthMode
from portal.models.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services import (
    alerts,
    connect,
    connection_tests,
    deliveries,
    organization_mapping,
    sync_runs,
    webhook_keys,
)
from portal.services.alerts import AlertFilter
from portal.services.tenants import add_tenant


@dataclass(frozen=True, slots=True)
class Msp:
    """The tenant, its server, and what a person or a webhook does in it."""

    app: Flask
    tactical: SimulatedTactical
    id: int
    slug: str
    secret: str

    @property
    def agents(self) -> list[str]:
        """The agent ids: the first ones run on assets of mapped organizations."""
        ids: list[str] = self.tactical.control.agents.ids()
        return ids

    def url(self, path: str = "") -> str:
        return f"/t/{self.slug}/{path}"

    @contextmanager
    def scope(self) -> Iterator[None]:
        with self.app.app_context(), tenant_scope(self.id):
            yield

    def raise_alerts(self, number: int, **values: Any) -> list[int]:
        """Raised at Tactical and synced; their ids at Tactical."""
        pks = [self.raise_alert(at, **values) for at in range(number)]
        self.sync()
        return pks

    def raise_alert(self, at: int = 0, kind: Any = "check", **values: Any) -> int:
        pk = self.tactical.control.alerts.trigger(self.agents[at], kind, **values)
        assert pk is not None
        return pk

    def sync(self) -> SyncRun:
        with self.scope():
            return sync_runs.run_to_end(SyncKind.ALERTS)

    def deliver(self, http: FlaskClient, **fields: Any) -> int:
        return self.deliver_bytes(http, json.dumps(fields).encode())

    def deliver_bytes(self, http: FlaskClient, body: bytes) -> int:
        answer = http.post(
            f"/api/webhooks/tacticalrmm?tenant={self.slug}",
            data=body,
            headers={"X-Alga-Webhook-Secret": self.secret},
        )
        assert answer.status_code == 202
        return int(answer.get_json()["delivery"])

    def process(self) -> None:
        with self.scope():
            deliveries.process_due()

    def alert(self, pk: int) -> Alert:
        """By its id at Tactical."""
        with self.scope():
            shown = AlertFilter(search=str(pk))
            found = [row.alert for row in alerts.list_alerts(shown).items]
            return next(alert for alert in found if alert.external_alert_id == str(pk))

    def ids_of(self, pks: list[int]) -> list[int]:
        return [self.alert(pk).id for pk in pks]

    def truth(self, pk: int) -> dict[str, Any]:
        return next(alert for alert in self.tactical.control.truth.alerts() if alert["id"] == pk)


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical) -> Msp:
    with app.app_context():
        tenant_id = add_tenant("Acme MSP", "acme").id
    with app.app_context(), tenant_scope(tenant_id):
        connect.save_connection(
            connect.ConnectionSettings(
                base_url=tactical.url, auth_mode=AuthMode.API_KEY, api_key=tactical.api_key
            )
        )
        connection_tests.test_now()
        sync_runs.run_to_end(SyncKind.ORGANIZATIONS)
        organization_mapping.map_exact(create=True)
        sync_runs.run_to_end(SyncKind.DEVICES)
        secret = webhook_keys.reveal()
    return Msp(app, tactical, tenant_id, "acme", secret)
