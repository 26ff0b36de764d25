"""The revision that counts the bytes of bodies, on a database with deliveries."""

from __future__ import annotations

from datetime import UTC, datetime

import flask_migrate
import pytest
from sqlalchemy import text

from portal.db import db
from portal.scope import tenant_scope
from portal.services.deliveries.storage import get_storage
from tests.migrations.test_status import add

BODIES = {1: ["", "{}", "ü" * 3], 2: ["x" * 70_000]}


@pytest.mark.usefixtures("empty_app")
def test_the_bodies_of_each_tenant_are_summed_up() -> None:
    flask_migrate.upgrade(revision="0014")
    with db.engine.begin() as connection:
        for tenant in (1, 2, 3):
            add(connection, "tenants", id=tenant, slug=f"tenant-{tenant}")
            add(connection, "rmm_integrations", id=tenant, tenant_id=tenant)
        for tenant, bodies in BODIES.items():
            for body in bodies:
                owner = {"tenant_id": tenant, "integration_id": tenant}
                add(connection, "webhook_deliveries", **owner, body=body, hint={},
                    received_at=datetime.now(UTC), alert_id=None)  # fmt: skip
    flask_migrate.upgrade()
    used = {}
    for tenant in (1, 2, 3):
        with tenant_scope(tenant):
            used[tenant] = get_storage().used
    assert used == {1: 8, 2: 70_000, 3: 0}
    db.session.remove()
    with db.engine.connect() as connection:
        kept = connection.scalars(text("SELECT kept_bytes FROM webhook_deliveries ORDER BY id"))
        assert kept.all() == [0, 2, 6, 70_000]
    flask_migrate.downgrade(revision="0014")
