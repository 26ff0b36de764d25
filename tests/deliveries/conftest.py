"""`intake`: a tenant whose webhook is called; nothing is processed, so it needs no Tactical server.
`msp`: one that is connected and synced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.db import db
from portal.models import Delivery
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations import connect
from portal.services.webhook import keys
from tests.alerts.conftest import msp

__all__ = ["msp"]

PATH = "/api/webhooks/tacticalrmm"
HEADER = "X-Alga-Webhook-Secret"
SENT: dict[str, Any] = {
    "agent_id": "dktGXFyfzYyqhMMyJAkXsJVNpHeRAVslCAHFONkm",
    "alert_id": "503",
    "event": "trigger",
    "alert_type": "availability",
    "severity": "error",
    "alert_time": "2026-11-23 03:39:56.791162+00:00",
    "resolved": "None",
    "client_id": "1",
    "site_id": "2",
    "check_id": "None",
    "task_id": "None",
}
"""As it arrived from a live server."""


@dataclass(frozen=True, slots=True)
class Intake:
    app: Flask
    tenant_id: int
    secret: str
    slug: str = "acme"

    @contextmanager
    def scope(self) -> Iterator[None]:
        with self.app.app_context(), tenant_scope(self.tenant_id):
            yield
            db.session.remove()

    def post(self, body: bytes = b"{}", **options: Any) -> TestResponse:
        """With the right secret; no Content-Type, as the real sender."""
        return self.knock({HEADER: self.secret}, self.slug, data=body, **options)

    def knock(
        self, known: Mapping[str, str], tenant: str | None, address: str = "10.0.0.1", **more: Any
    ) -> TestResponse:
        """`known` is what the sender says of itself."""
        environ = {"REMOTE_ADDR": address, **more.pop("environ", {})}
        query = {} if tenant is None else {"tenant": tenant}
        return self.app.test_client().post(
            PATH,
            query_string=query,
            headers={**known, **more.pop("headers", {})},
            environ_overrides=environ,
            **more,
        )

    def count(self) -> int:
        with self.scope():
            return db.session.scalar(select(func.count()).select_from(Delivery)) or 0

    def get(self, answer: TestResponse) -> Delivery:
        """What was stored of the call that was answered so."""
        assert answer.status_code == 202, answer.text
        said = answer.get_json()
        with self.scope():
            kept = db.session.get_one(Delivery, said["delivery"])
            db.session.expunge(kept)
        assert said["ok"] is True
        assert said["status"] == kept.status
        assert said["message"]
        return kept


@pytest.fixture
def intake(app: Flask) -> Intake:
    return add_intake(app)


def add_intake(app: Flask, slug: str = "acme") -> Intake:
    """One more tenant that is connected."""
    with app.app_context():
        tenant_id = add_tenant("Acme MSP", slug).id
        with tenant_scope(tenant_id):
            connect.save_connection(
                connect.ConnectionSettings(base_url="https://api.acme.example", api_key="k" * 32)
            )
            secret = keys.reveal()
        db.session.remove()
    return Intake(app, tenant_id, secret, slug)
