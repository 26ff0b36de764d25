"""What the page of a client shows first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, case, func, literal, null, select, union_all

from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, Asset, AssetChange, Client, OrganizationMapping
from portal.models.alerts.alert import AlertStatus, Severity
from portal.models.assets.change import OF_LISTS, ChangeAction
from portal.services.alerts.filters import AlertFilter, alert_conditions
from portal.services.assets.daily_counts import Day, read_days
from portal.services.assets.listing import RECENT, AssetFilter, came_recently, count_by_status
from portal.services.clients import get_client, list_client_names
from portal.services.lists.paging import Page, paginate
from portal.services.organizations.listing import list_organizations_of
from portal.services.tickets.listing import TicketRow, list_open
from portal.services.windows.listing import list_of_client
from portal.services.windows.occurrences import Occurrence
from portal.services.windows.terms import Window

ALERTS_SHOWN = 8
TICKETS_SHOWN = 5
CHANGES_SHOWN = 8
CHANGES_READ = 60
"""One look may write several columns of an asset."""
_WEIGHT = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}
_WORDS = {
    ChangeAction.CREATED: "Added",
    ChangeAction.MISSING: "No longer in Tactical",
    ChangeAction.RETURNED: "Back in Tactical",
    ChangeAction.RETIRED: "Retired",
    ChangeAction.RESTORED: "Restored",
    ChangeAction.RELINKED: "Re-installed, with a new agent",
}
_COLUMNS = {
    "name": "Renamed from {before}",
    "client_id": "Moved here from {before}",
    "site_name": "Moved to the site {after}",
    "asset_type": "Became a {after}",
    "serial_number": "Serial number is {after} now",
    "description": "Description changed",
}


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    id: int
    severity: str
    alert_type: str
    message: str | None
    asset_id: int | None
    asset: str | None
    triggered_at: datetime


@dataclass(frozen=True, slots=True)
class Site:
    """`new`: assets that came within RECENT. `organization`: Tactical's number of it."""

    organization: str | None
    name: str | None
    assets: int
    new: int
    servers: int


@dataclass(frozen=True, slots=True)
class Place:
    """An organization of Tactical's with the sites where the client has assets; without one, of
    assets that a person gave to the client."""

    organization: OrganizationMapping | None
    sites: list[Site]


@dataclass(frozen=True, slots=True)
class RecentChange:
    asset_id: int
    asset: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class ClientOverview:
    """`assets` is as `count_by_status` has it; `alerts` are the worst of `alert_counts`."""

    client: Client
    assets: dict[str, int]
    alerts: list[ActiveAlert]
    alert_counts: dict[str, int]
    """By severity, and `total`; of active ones."""
    tickets: list[TicketRow]
    places: list[Place]
    windows: list[tuple[Window, Occurrence]]
    changes: list[RecentChange]
    new: int
    """Assets that came within RECENT."""
    servers: int
    days: list[Day]


def get_client_overview(client_id: int) -> ClientOverview:
    """Raises NotFound."""
    client = get_client(client_id)
    alerts, alert_counts = _read_active_alerts(client_id)
    places = _list_places(client_id)
    return ClientOverview(
        client=client,
        assets=count_by_status(AssetFilter(client_id=client_id)),
        alerts=alerts,
        alert_counts=alert_counts,
        tickets=list_open(TICKETS_SHOWN, client_id=client_id),
        places=places,
        windows=list_of_client(client_id),
        changes=_list_changes(client_id),
        new=sum(site.new for place in places for site in place.sites),
        servers=sum(site.servers for place in places for site in place.sites),
        days=read_days(client_ids=[client_id]),
    )


def _read_active_alerts(client_id: int) -> tuple[list[ActiveAlert], dict[str, int]]:
    """The worst, the newest of these first; and how many there are of each severity."""
    rank = case(*((Alert.severity == word, weight) for word, weight in _WEIGHT.items()), else_=0)
    numbers = [
        func.count(case((Alert.severity == word, 1))).over().label(f"of_{word}")
        for word in Severity
    ]
    shown = AlertFilter(status=AlertStatus.ACTIVE, client_id=client_id)
    rows: Sequence[Any] = db.session.execute(
        select(Alert.id, Alert.severity, Alert.alert_type, Alert.message, Alert.triggered_at)
        .add_columns(Asset.id.label("asset_id"), Asset.name.label("asset"), *numbers)
        .outerjoin(Alert.asset)
        .where(*alert_conditions(shown))
        .order_by(rank.desc(), Alert.triggered_at.desc(), Alert.id.desc())
        .limit(ALERTS_SHOWN)
    ).all()
    counts = {str(w): getattr(rows[0], f"of_{w}") if rows else 0 for w in Severity}
    alerts = [
        ActiveAlert(
            row.id,
            str(row.severity),
            row.alert_type,
            row.message,
            row.asset_id,
            row.asset,
            row.triggered_at,
        )
        for row in rows
    ]
    return alerts, counts | {"total": sum(counts.values())}


def _list_places(client_id: int) -> list[Place]:
    """Organizations by name, those without a mapping last; sites by name."""
    rows = db.session.execute(
        select(Asset.integration_id, Asset.rmm_organization_id, Asset.site_name)
        .add_columns(func.count(), func.count(case((came_recently(), 1))))
        .add_columns(func.count(case((Asset.asset_type == "server", 1))))
        .where(Asset.client_id == client_id, Asset.missing_since.is_(None))
        .group_by(Asset.integration_id, Asset.rmm_organization_id, Asset.site_name)
    ).all()
    sites: dict[tuple[int, str], list[Site]] = {}
    for integration_id, organization_id, *numbers in rows:
        site = Site(organization_id, *numbers)
        sites.setdefault((integration_id, organization_id), []).append(site)
    places = [
        Place(each, _in_order(sites.pop((each.integration_id, each.external_organization_id), [])))
        for each in list_organizations_of(client_id)
    ]
    others = [site for found in sites.values() for site in found]
    return places + ([Place(None, _in_order(others))] if others else [])


def _in_order(sites: list[Site]) -> list[Site]:
    return sorted(sites, key=lambda site: (site.name or "").casefold())


def list_client_history(client_id: int, page: int = 1) -> Page[RecentChange]:
    """All that is kept of what became of the client's assets, and when each came, the newest first.
    A page is of changes, of which a line may have several."""
    changes = _select_changes(client_id).order_by(None).add_columns(AssetChange.id)
    came = (
        select(Asset.id, Asset.name, Asset.created_at, literal(ChangeAction.CREATED))
        .add_columns(literal(""), null(), null(), null())
        .where(Asset.client_id == client_id)
    )
    both = union_all(changes, came).subquery()
    newest = both.c.at.desc(), both.c.asset, both.c.asset_id, both.c.id
    found = paginate(select(both).order_by(*newest), None, page, lambda row: row)
    return Page(_to_lines(found.items), found.number, found.total, found.size)


def _list_changes(client_id: int) -> list[RecentChange]:
    """The last ones."""
    recent = _select_changes(client_id).where(AssetChange.at >= utc_now() - RECENT)
    rows: Sequence[Any] = db.session.execute(recent.limit(CHANGES_READ)).all()
    return _to_lines(rows)[:CHANGES_SHOWN]


def _select_changes(client_id: int) -> Select[Any]:
    query: Select[Any] = (
        select(AssetChange.asset_id, Asset.name.label("asset"), AssetChange.at, AssetChange.action)
        .add_columns(AssetChange.column, AssetChange.before, AssetChange.after)
        .join(Asset, Asset.id == AssetChange.asset_id)
        .where(Asset.client_id == client_id, OF_LISTS)
        .order_by(AssetChange.at.desc(), AssetChange.id)
    )
    return query


def _to_lines(rows: Sequence[Any]) -> list[RecentChange]:
    """One for each asset and moment."""
    moves = [row for row in rows if row.column == "client_id"]
    clients = list_client_names(value for row in moves for value in (row.before, row.after))
    lines = groupby(rows, lambda row: (row.asset_id, row.asset, row.at))
    return [RecentChange(*key, _say(list(its), clients)) for key, its in lines]


def _say(rows: Sequence[Any], clients: dict[int, str]) -> str:
    """What one look or one person did to an asset, in a few words."""
    words = []
    for row in rows:
        if row.action in _WORDS:
            words.append(_WORDS[row.action])
        elif row.column in _COLUMNS:
            before, after = row.before, row.after
            if row.column == "client_id":
                before = clients.get(before, "another client")
            words.append(
                _COLUMNS[row.column].format(before=before, after=after or "no longer known")
            )
        elif row.action is ChangeAction.MERGED and isinstance(row.before, dict):
            words.append(f"Merged with {row.before.get('name', 'another asset')}")
    return ", ".join(dict.fromkeys(words)) or "Changes were taken back"
