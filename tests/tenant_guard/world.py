"""Two tenants, each with a client, an integration and an organization."""

from __future__ import annotations

from sqlalchemy import text

from portal.db import db
from portal.models import Integration, OrganizationMapping
from portal.scope import all_tenants

OURS, THEIRS = 1, 2


def make_integration(number: int) -> Integration:
    return Integration(
        id=number,
        tenant_id=number,
        provider="tacticalrmm",
        page_size=1,
        device_sync_minutes=0,
        alert_sync_minutes=0,
        delivery_days=1,
    )


def make_organization(number: int, client: int, external_id: str = "7") -> OrganizationMapping:
    return OrganizationMapping(
        tenant_id=number,
        integration_id=number,
        external_organization_id=external_id,
        external_organization_name="Organization",
        client_id=client,
    )


def all_clients() -> list[tuple[str, int]]:
    """Past the guard."""
    with all_tenants():
        connection = db.session.connection()
        rows = connection.execute(text("SELECT name, tenant_id FROM clients ORDER BY id")).all()
    return [(row[0], row[1]) for row in rows]


UNTOUCHED = [("ours", OURS), ("theirs", THEIRS)]
