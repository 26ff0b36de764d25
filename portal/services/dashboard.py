"""The figures that the dashboard and the status panel show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from portal.db import db
from portal.models import Client, Integration, SyncRun
from portal.models.sync_run import SyncKind
from portal.services.alerts import count_active_by_severity
from portal.services.assets import count_by_status
from portal.services.delivery_history import failed_count, to_review_count
from portal.services.integrations import find_integration
from portal.services.looks import LOOKS, explain_lateness, newest_look
from portal.services.organizations import OrganizationFilter, count_organizations
from portal.services.run_history import (
    find_any_active_run,
    find_last_finished_runs,
    list_recent_fleet_runs,
)
from portal.services.sweep_intervals import SweepInterval, find_interval

RECENT_RUNS = 6
REVIEW_PERIOD = "7d"
"""Deliveries to review that are older than that are no news."""


@dataclass(frozen=True, slots=True)
class Overview:
    """`assets_by_status` is as `count_by_status` has it."""

    integration: Integration | None
    organizations: dict[OrganizationFilter, int]
    assets_by_status: dict[str, int]
    clients: int
    last_device_sync: SyncRun | None
    last_status_sweep: SyncRun | None
    sweep_interval: SweepInterval | None
    last_organization_sync: SyncRun | None
    last_look_at: datetime | None
    """When the status of the fleet was last asked for."""
    late_because: str | None
    """Why that is too long ago, as a sentence; None while it is not."""
    active_run: SyncRun | None
    recent_runs: list[SyncRun]
    active_alerts: dict[str, int]
    """By severity, and `total`."""
    failed_deliveries: int
    deliveries_to_review: int


def get_overview() -> Overview:
    clients, failed, to_review = _count()
    integration, assets = find_integration(), count_by_status()
    last = find_last_finished_runs(*LOOKS, SyncKind.ORGANIZATIONS)
    last_look_at = newest_look(last)
    return Overview(
        integration=integration,
        organizations=count_organizations(),
        assets_by_status=assets,
        clients=clients,
        last_device_sync=last.get(SyncKind.DEVICES),
        last_status_sweep=last.get(SyncKind.STATUS),
        sweep_interval=find_interval(integration) if integration else None,
        last_organization_sync=last.get(SyncKind.ORGANIZATIONS),
        last_look_at=last_look_at,
        late_because=explain_lateness(integration, last_look_at) if assets["stale"] else None,
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
