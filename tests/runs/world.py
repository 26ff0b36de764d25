"""What the tests do to runs, and to whom they belong, behind the services' back."""

from __future__ import annotations

from portal.db import transaction
from portal.models import Integration, SyncRun
from portal.models.integrations.integration import IntegrationState
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations.schedules import ensure_schedules


def change(run_id: int, **values: object) -> None:
    with transaction() as session:
        run = session.get_one(SyncRun, run_id)
        for name, value in values.items():
            setattr(run, name, value)


def add_msp(number: int, agents: int = 0, **settings: int | None) -> int:
    """A connected tenant whose fleet has so many agents; nothing is due at once."""
    tenant_id = add_tenant(f"MSP {number}", f"msp-{number}").id
    intervals = {"device_sync_minutes": 0, "alert_sync_minutes": 0, "software_sync_minutes": 0}
    with tenant_scope(tenant_id), transaction() as session:
        integration = Integration(
            provider="tacticalrmm",
            state=IntegrationState.ACTIVE,
            page_size=500,
            delivery_days=30,
            found_agents=agents,
            **intervals | settings,
        )
        session.add(integration)
        session.flush()
        ensure_schedules(session, integration)
    return tenant_id
