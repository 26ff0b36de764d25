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

from portal.models import Alert, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.alerts import listing
from portal.services.alerts.filters import AlertFilter
from portal.services.deliveries import processing
from portal.services.runs import execution
from portal.services.webhook import keys
from tactical_simulator import SimulatedTactical
from tests.support import msp as connecting


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
            return execution.run_to_end(SyncKind.ALERTS)

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
            processing.process_due()

    def alert(self, pk: int) -> Alert:
        """By its id at Tactical."""
        with self.scope():
            shown = AlertFilter(search=str(pk))
            found = [row.alert for row in listing.list_alerts(shown).items]
            return next(alert for alert in found if alert.external_alert_id == str(pk))

    def ids_of(self, pks: list[int]) -> list[int]:
        return [self.alert(pk).id for pk in pks]

    def truth(self, pk: int) -> dict[str, Any]:
        return next(alert for alert in self.tactical.control.truth.alerts() if alert["id"] == pk)


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical) -> Msp:
    with app.app_context():
        connected = connecting.Msp(app, tactical, add_tenant("Acme MSP", "acme").id)
    with connected.scope():
        connected.import_fleet()
        secret = keys.reveal()
    return Msp(app, tactical, connected.id, "acme", secret)
