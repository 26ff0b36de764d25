"""Maintenance windows as pages and programs see them: now in force, coming, over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.models import Asset, MaintenanceWindow
from portal.services.lists.paging import Page, paginate
from portal.services.windows.drafts import list_zones
from portal.services.windows.editing import get_window
from portal.services.windows.loading import load_windows, select_ahead
from portal.services.windows.occurrences import Occurrence, find_current, iterate
from portal.services.windows.scopes import Names, Part
from portal.services.windows.terms import Scope, Window, make_stand_in, read_window

IN_FORCE, COMING, OVER, DELETED = "in force", "coming", "over", "deleted"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window as it is at a moment. `occurrence`: the one in force, or else the next one.
    `problem`: why its row cannot be read; then it keeps nothing back and has terms of none."""

    row: MaintenanceWindow
    terms: Window
    scope: list[Part]
    state: str
    occurrence: Occurrence | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Ahead:
    unreadable: list[WindowView]
    in_force: list[WindowView]
    coming: list[WindowView]


def list_ahead() -> Ahead:
    """Those in force, the one that ends first at the top; those to come, the next one first."""
    now = utc_now()
    views = _view(db.session.scalars(select_ahead(now)), now)
    in_force = [view for view in views if view.state == IN_FORCE]
    coming = [view for view in views if view.state == COMING]
    in_force.sort(key=lambda view: view.occurrence.end if view.occurrence else now)
    coming.sort(key=lambda view: view.occurrence.start if view.occurrence else now)
    return Ahead([view for view in views if view.state == UNREADABLE], in_force, coming)


def list_over(page: int) -> Page[WindowView]:
    """Those that are over or deleted, the latest first."""
    now, table = utc_now(), MaintenanceWindow
    is_over = or_(table.deleted_at.is_not(None), table.over_at <= now)
    since = func.coalesce(table.deleted_at, table.over_at)
    rows = select(table).where(is_over).order_by(since.desc(), table.id.desc())
    total = select(func.count(table.id)).where(is_over)
    found: Page[MaintenanceWindow] = paginate(rows, total, page, lambda row: row[0])
    return Page(_view(found.items, now), found.number, found.total)


def view_window(window_id: int) -> WindowView:
    """Raises NotFound."""
    return _view([get_window(window_id)], utc_now())[0]


def view_rows(rows: Iterable[MaintenanceWindow]) -> list[WindowView]:
    return _view(rows, utc_now())


def list_of_asset(asset: Asset) -> list[tuple[Window, Occurrence]]:
    """Those in force that keep alerts of the asset silent, of whatever kind."""
    return [
        found
        for found in _list_in_force()
        if not found[0].scope.has_places or _holds_asset(found[0].scope, asset)
    ]


def list_of_client(client_id: int) -> list[tuple[Window, Occurrence]]:
    """Those in force that are for the whole client."""
    return [
        found
        for found in _list_in_force()
        if not found[0].scope.has_places or client_id in found[0].scope.clients
    ]


def _list_in_force() -> list[tuple[Window, Occurrence]]:
    now = utc_now()
    current = ((each, find_current(each, now)) for each in load_windows(db.session(), now))
    return [(window, occurrence) for window, occurrence in current if occurrence]


def _holds_asset(scope: Scope, asset: Asset) -> bool:
    return (
        asset.client_id in scope.clients
        or asset.rmm_organization_id in scope.organizations
        or asset.site_id in scope.sites
        or asset.id in scope.assets
    )


def _view(rows: Iterable[MaintenanceWindow], now: datetime) -> list[WindowView]:
    read = [(row, *_read(row)) for row in rows]
    names = Names(window.scope for _row, window, _problem in read)
    return [_view_one(row, window, problem, names, now) for row, window, problem in read]


def _read(row: MaintenanceWindow) -> tuple[Window, str | None]:
    try:
        return read_window(row), None
    except InvalidInput as error:
        return make_stand_in(row), error.message


def _view_one(
    row: MaintenanceWindow, window: Window, problem: str | None, names: Names, now: datetime
) -> WindowView:
    if problem is not None:
        state = DELETED if row.deleted_at else UNREADABLE
        return WindowView(row, window, [], state, None, problem)
    found = (
        None if row.deleted_at else find_current(window, now) or next(iterate(window, now), None)
    )
    state = DELETED if row.deleted_at else OVER
    if found is not None:
        state = IN_FORCE if found.start <= now else COMING
    return WindowView(row, window, names.describe(window.scope), state, found)


def find_usual_zone() -> str:
    """The zone that was named last, but for UTC; UTC where none was that is known."""
    query = select(MaintenanceWindow.zone).where(MaintenanceWindow.zone != "UTC")
    zone = db.session.scalar(query.order_by(MaintenanceWindow.id.desc()).limit(1))
    return zone if zone in list_zones() else "UTC"
