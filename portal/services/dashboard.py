"""The figures that the dashboard and the status panel show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from portal.db import db, utc_now
from portal.models import Client, Integration, SyncRun
from portal.models.integration import IntegrationState
from portal.models.sync_run import SyncKind
from portal.services.alerts import count_active_by_severity
from portal.services.assets import count_by_status
from portal.services.delivery_history import failed_count, to_review_count
from portal.services.integrations import find_integration
from portal.services.organizations import OrganizationFilter, count_organizations
from portal.services.run_history import (
    find_any_active_run,
    find_last_finished_run,
    list_recent_fleet_runs,
)

RECENT_RUNS = 6
STALE_AFTER_INTERVALS = 2
REVIEW_PERIOD = "7d"
"""Deliveries to review that are older than that are no news."""


@dataclass(frozen=True, slots=True)
class Overview:
    """`assets_by_status` has `total` and `missing` beside the statuses."""

    integration: Integration | None
    organizations: dict[OrganizationFilter, int]
    assets_by_status: dict[str, int]
    clients: int
    last_device_sync: SyncRun | None
    last_organization_sync: SyncRun | None
    active_run: SyncRun | None
    recent_runs: list[SyncRun]
    active_alerts: dict[str, int]
    """By severity, and `total`."""
    failed_deliveries: int
    deliveries_to_review: int

    @property
    def is_stale(self) -> bool:
        """Whether an active integration missed its own rhythm of device syncs."""
        integration = self.integration
        if integration is None or integration.state is not IntegrationState.ACTIVE:
            return False
        if not integration.device_sync_minutes or self.last_device_sync is None:
            return False
        finished = self.last_device_sync.finished_at
        late = timedelta(minutes=integration.device_sync_minutes * STALE_AFTER_INTERVALS)
        return finished is not None and finished < utc_now() - late


def get_overview() -> Overview:
    clients, failed, to_review = _count()
    return Overview(
        integration=find_integration(),
        organizations=count_organizations(),
        assets_by_status=count_by_status(),
        clients=clients,
        last_device_sync=find_last_finished_run(SyncKind.DEVICES),
        last_organization_sync=find_last_finished_run(SyncKind.ORGANIZATIONS),
        active_run=find_any_active_run(),
        recent_runs=list_recent_fleet_runs(RECENT_RUNS),
        active_alerts=count_active_by_severity(),
        failed_deliveries=failed,
        deliveries_to_review=to_review,
    )


def _count() -> tuple[int, int, int]:
    """Clients, deliveries that failed, deliveries to review: in one statement."""
    clients = select(func.count()).select_from(Client).scalar_subquery()
    row = db.session.execute(select(clients, failed_count(), to_review_count(REVIEW_PERIOD))).one()
    return row[0], row[1], row[2]
