"""The figures that the dashboard shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select

from portal.db import db
from portal.models import AlertRule, Client, Integration, OrganizationMapping, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.alerts.listing import count_active_by_severity, unacknowledged_count
from portal.services.assets.freshness import (
    STATUS_READS,
    explain_staleness,
    newest_status_read,
    stale_before,
    status_read_seconds,
)
from portal.services.assets.listing import count_by_status
from portal.services.conflicts.listing import needs_person_count
from portal.services.deliveries.history import failed_count, to_review_count
from portal.services.helpdesks.listing import failing_count
from portal.services.integrations.current import find_integration
from portal.services.integrations.preview_due import PendingPreview, find_pending_preview
from portal.services.integrations.server_health import Outage, find_outage
from portal.services.organizations.listing import OrganizationFilter, organization_counts
from portal.services.runs.history import (
    find_any_active_run,
    find_last_finished_runs,
    list_recent_fleet_runs,
)
from portal.services.tickets.listing import Unsettled, list_unsettled

RECENT_RUNS = 6
MOST_TICKETS = 3
REVIEW_PERIOD = "7d"
"""Deliveries to review that are older than that are no news."""


@dataclass(frozen=True, slots=True)
class Overview:
    """`assets_by_status` is as `count_by_status` has it."""

    integration: Integration | None
    outage: Outage | None
    pending_preview: PendingPreview | None
    organizations: dict[OrganizationFilter, int]
    assets_by_status: dict[str, int]
    clients: int
    conflicts: int
    """Those that need a person."""
    last_device_sync: SyncRun | None
    last_read_at: datetime | None
    """When the status of the fleet was last asked for."""
    stale_because: str | None
    """Why that is too long ago, as a sentence; None while it is not."""
    active_run: SyncRun | None
    recent_runs: list[SyncRun]
    active_alerts: dict[str, int]
    """By severity, and `total`."""
    any_rule: bool
    """Whether a rule is switched on, so that somebody can be told of alerts."""
    unacknowledged_alerts: int
    failed_deliveries: int
    deliveries_to_review: int
    unsettled_tickets: list[Unsettled]
    """The newest of which a person has to do something."""
    unsettled_count: int
    failing_helpdesks: int


def get_overview() -> Overview:
    figures, integration = _read_figures(), find_integration()
    old = stale_before(figures.status_read_seconds)
    assets = count_by_status(stale_before=old, integration=integration)
    last = find_last_finished_runs(*STATUS_READS)
    unsettled, unsettled_count = list_unsettled(MOST_TICKETS)
    last_read_at = newest_status_read(last)
    return Overview(
        integration=integration,
        outage=find_outage(integration),
        pending_preview=find_pending_preview(integration),
        organizations=figures.organizations,
        assets_by_status=assets,
        clients=figures.clients,
        conflicts=figures.conflicts,
        last_device_sync=last.get(SyncKind.DEVICES),
        last_read_at=last_read_at,
        stale_because=explain_staleness(integration, last_read_at, figures.status_read_seconds)
        if assets["stale"]
        else None,
        active_run=find_any_active_run(),
        recent_runs=list_recent_fleet_runs(RECENT_RUNS),
        active_alerts=count_active_by_severity(),
        any_rule=figures.any_rule,
        unacknowledged_alerts=figures.unacknowledged_alerts,
        failed_deliveries=figures.failed_deliveries,
        deliveries_to_review=figures.deliveries_to_review,
        unsettled_tickets=unsettled,
        unsettled_count=unsettled_count,
        failing_helpdesks=figures.failing_helpdesks,
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    """What one statement can read."""

    clients: int
    conflicts: int
    any_rule: bool
    unacknowledged_alerts: int
    failed_deliveries: int
    deliveries_to_review: int
    status_read_seconds: int | None
    failing_helpdesks: int
    organizations: dict[OrganizationFilter, int]


def _read_figures() -> _Figures:
    clients = select(func.count()).select_from(Client).scalar_subquery()
    waiting = (needs_person_count(), unacknowledged_count())
    deliveries = (failed_count(), to_review_count(REVIEW_PERIOD))
    others = (*deliveries, status_read_seconds(), failing_count())
    on = exists().where(AlertRule.switched_on_at.is_not(None))
    asked = select(clients, on, *waiting, *others, *organization_counts()).select_from(
        OrganizationMapping
    )
    number, any_rule, *figures = db.session.execute(asked).one()
    (conflicts, nobodys, failed, to_review, seconds, failing), counts = figures[:6], figures[6:]
    return _Figures(
        clients=number,
        conflicts=conflicts,
        any_rule=any_rule,
        unacknowledged_alerts=nobodys,
        failed_deliveries=failed,
        deliveries_to_review=to_review,
        status_read_seconds=seconds,
        failing_helpdesks=failing,
        organizations=dict(zip(OrganizationFilter, counts, strict=True)),
    )
