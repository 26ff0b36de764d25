"""What the dashboard shows: what stands, what came about, and what needs somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select

from portal.db import db
from portal.models import AlertRule, Client, Integration, SyncRun
from portal.models.integrations.integration import IntegrationState
from portal.scope import allowed_clients
from portal.services.alerts.listing import newest_error, unacknowledged_count
from portal.services.assets.daily_counts import Day, read_days
from portal.services.assets.freshness import (
    explain_staleness,
    newest_status_read,
    stale_before,
    status_read_seconds,
)
from portal.services.dashboard.fleet import Fleet, read_fleet
from portal.services.dashboard.freshness import READS, Freshness, list_freshness
from portal.services.dashboard.waiting import AllWaiting, read_waiting, waiting_columns
from portal.services.integrations.current import find_integration
from portal.services.integrations.preview_due import PendingPreview, find_pending_preview
from portal.services.integrations.server_health import Outage, due_asking, to_outage
from portal.services.organizations.listing import (
    OrganizationFilter,
    is_of_connected,
    organization_counts,
)
from portal.services.runs.history import find_active_and_last_of_kinds
from portal.services.tickets.listing import Unsettled, list_unsettled
from portal.services.watches.listing import first_match_at, first_matched, matching_watches
from portal.services.webhook.state import Health, get_health

WORST_CLIENTS = 5
MOST_TICKETS = 3


@dataclass(frozen=True, slots=True)
class Overview:
    integration: Integration | None
    outage: Outage | None
    pending_preview: PendingPreview | None
    organizations: dict[OrganizationFilter, int]
    fleet: Fleet
    days: list[Day]
    """What was counted each night, of the last month."""
    freshness: list[Freshness]
    clients: int
    waiting: AllWaiting
    last_read_at: datetime | None
    """When the status of the fleet was last asked for."""
    stale_because: str | None
    """Why that is too long ago, as a sentence; None while it is not."""
    active_run: SyncRun | None
    webhook: Health | None
    """None where no webhook is awaited: nothing is connected."""
    any_rule: bool
    """Whether a rule is switched on, so that somebody can be told of alerts."""
    unacknowledged_alerts: int
    unsettled_tickets: list[Unsettled]
    """The newest of which a person has to do something."""
    unsettled_count: int
    watches: int
    """Of software: those that an asset matches."""
    watches_since: datetime | None
    first_matched: str | None
    """The product of the watch that matched first."""
    newest_error: str | None
    """What the newest active alert of that severity says."""


def get_overview() -> Overview:
    figures, integration = _read_figures(), find_integration()
    old = stale_before(figures.status_read_seconds)
    fleet = read_fleet(old, integration, WORST_CLIENTS)
    active_run, last = find_active_and_last_of_kinds(*READS)
    is_awaited = _is_active(integration) and allowed_clients() is None
    webhook = get_health(integration) if integration and is_awaited else None
    unsettled, unsettled_count = list_unsettled(MOST_TICKETS)
    last_read_at = newest_status_read(last)
    return Overview(
        integration=integration,
        outage=to_outage(integration, figures.due_asking),
        pending_preview=find_pending_preview(integration),
        organizations=figures.organizations,
        fleet=fleet,
        days=read_days(),
        freshness=list_freshness(integration, last, webhook),
        clients=figures.clients,
        waiting=figures.waiting,
        last_read_at=last_read_at,
        stale_because=explain_staleness(integration, last_read_at, figures.status_read_seconds)
        if fleet.assets_by_status["stale"]
        else None,
        active_run=active_run,
        webhook=webhook,
        any_rule=figures.any_rule,
        unacknowledged_alerts=figures.unacknowledged_alerts,
        unsettled_tickets=unsettled,
        unsettled_count=unsettled_count,
        watches=figures.watches,
        watches_since=figures.watches_since,
        first_matched=figures.first_matched,
        newest_error=figures.newest_error,
    )


def _is_active(integration: Integration | None) -> bool:
    return integration is not None and integration.state is IntegrationState.ACTIVE


@dataclass(frozen=True, slots=True)
class _Figures:
    """What one statement can read."""

    clients: int
    any_rule: bool
    unacknowledged_alerts: int
    status_read_seconds: int | None
    watches: int
    watches_since: datetime | None
    first_matched: str | None
    newest_error: str | None
    due_asking: datetime | None
    organizations: dict[OrganizationFilter, int]
    waiting: AllWaiting


def _read_figures() -> _Figures:
    clients = select(func.count()).select_from(Client).scalar_subquery()
    on = exists().where(AlertRule.switched_on_at.is_not(None))
    why = (matching_watches(), first_match_at(), first_matched(), newest_error())
    figures = (clients, on, unacknowledged_count(), status_read_seconds(), *why, due_asking())
    counts = organization_counts()
    asked = select(*figures, *counts, *waiting_columns()).where(is_of_connected())
    row = tuple(db.session.execute(asked).one())
    number, any_rule, nobodys, seconds, matching, since, product, error, due = row[: len(figures)]
    behind = row[len(figures) :]
    organizations = dict(zip(OrganizationFilter, behind[: len(counts)], strict=True))
    return _Figures(
        clients=number,
        any_rule=any_rule,
        unacknowledged_alerts=nobodys,
        status_read_seconds=seconds,
        watches=matching,
        watches_since=since,
        first_matched=product,
        newest_error=error,
        due_asking=due,
        organizations=organizations,
        waiting=read_waiting(behind[len(counts) :], organizations),
    )
