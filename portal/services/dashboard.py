"""The figures that the dashboard and the status panel show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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
    find_last_finished_runs,
    list_recent_fleet_runs,
)
from portal.services.sweep_intervals import SweepInterval, find_interval

RECENT_RUNS = 6
STALE_AFTER_INTERVALS = 2
STALE_AFTER_SECONDS = 15 * 60
"""At the least: a sweep or two may be lost to a restart."""
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
    last_status_sweep: SyncRun | None
    sweep_interval: SweepInterval | None
    last_organization_sync: SyncRun | None
    active_run: SyncRun | None
    recent_runs: list[SyncRun]
    active_alerts: dict[str, int]
    """By severity, and `total`."""
    failed_deliveries: int
    deliveries_to_review: int

    @property
    def last_look_at(self) -> datetime | None:
        """When the status of the fleet was last read."""
        looks = [run.finished_at for run in (self.last_device_sync, self.last_status_sweep) if run]
        return max((at for at in looks if at), default=None)

    @property
    def is_stale(self) -> bool:
        """Whether an active integration missed its own rhythm of looking at the fleet."""
        integration = self.integration
        if integration is None or integration.state is not IntegrationState.ACTIVE:
            return False
        if self.active_run is not None and self.active_run.kind is SyncKind.DEVICES:
            return False
        sweeps = self.sweep_interval.seconds if self.sweep_interval else 0
        rhythms = (sweeps, integration.device_sync_minutes * 60)
        if not any(rhythms) or self.last_look_at is None:
            return False
        late = min(seconds for seconds in rhythms if seconds) * STALE_AFTER_INTERVALS
        return self.last_look_at < utc_now() - timedelta(seconds=max(late, STALE_AFTER_SECONDS))


def get_overview() -> Overview:
    integration = find_integration()
    clients, failed, to_review = _count()
    last = find_last_finished_runs(SyncKind.DEVICES, SyncKind.STATUS, SyncKind.ORGANIZATIONS)
    return Overview(
        integration=integration,
        organizations=count_organizations(),
        assets_by_status=count_by_status(),
        clients=clients,
        last_device_sync=last.get(SyncKind.DEVICES),
        last_status_sweep=last.get(SyncKind.STATUS),
        sweep_interval=find_interval(integration) if integration else None,
        last_organization_sync=last.get(SyncKind.ORGANIZATIONS),
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
