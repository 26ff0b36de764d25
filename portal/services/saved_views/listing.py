"""Views of lists, as whoever asks may use them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, String, and_, cast, false, func, or_, select

from portal.clock import iso_utc, utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import Membership, SavedView
from portal.scope import beyond_clients
from portal.services.api.paging import Items, Part, read_part
from portal.services.saved_views.lists import LISTS, OF_EVERYBODY, may_open

KEPT_DELETED = timedelta(days=1)
"""How long a view can be brought back."""
_FIELD, _ROW = "\x1f", "\x1e"
"""Between what is aggregated: names hold no such character."""


@dataclass(frozen=True, slots=True)
class ViewLink:
    """What the menu shows of a view."""

    id: int
    list_name: str
    name: str
    is_shared: bool


def select_links() -> ScalarSelect[str]:
    """`Membership.views`, in SQL: the views of a place come with it, and cost no page a statement.
    Not how many records each shows: that would."""
    fields = (cast(SavedView.id, String), SavedView.list_name, SavedView.name)
    owner = func.coalesce(cast(SavedView.membership_id, String), "")
    row = fields[0].concat(_FIELD).concat(fields[1]).concat(_FIELD).concat(fields[2])
    found = select(func.aggregate_strings(row.concat(_FIELD).concat(owner), _ROW)).where(
        SavedView.deleted_at.is_(None),
        or_(
            SavedView.membership_id == Membership.id,
            and_(
                SavedView.membership_id.is_(None),
                SavedView.tenant_id == Membership.tenant_id,
                Membership.limited.is_(False),
            ),
        ),
    )
    return found.correlate(Membership).scalar_subquery()


def list_links(place: Membership) -> list[ViewLink]:
    """By list and name."""
    rows = [row.split(_FIELD) for row in (place.views or "").split(_ROW) if row]
    links = [ViewLink(int(number), word, name, not owner) for number, word, name, owner in rows]
    order = list(LISTS)
    known = [link for link in links if opens(place, link.list_name)]
    return sorted(known, key=lambda link: (order.index(link.list_name), link.name.casefold()))


def list_views(place: Membership) -> list[SavedView]:
    """All that the place may use, by list and name."""
    found = _read(place, SavedView.deleted_at.is_(None))
    order = list(LISTS)
    return sorted(found, key=lambda view: (order.index(view.list_name), view.name.casefold()))


def list_deleted(place: Membership, may_share: bool) -> list[SavedView]:
    """Those that can be brought back, the last one first."""
    young = SavedView.deleted_at > utc_now() - KEPT_DELETED
    found = [each for each in _read(place, young) if each.membership_id or may_share]
    return sorted(found, key=lambda view: view.deleted_at or view.created_at, reverse=True)


def get_view(place: Membership, view_id: int, *, deleted: bool = False) -> SavedView:
    """Raises NotFound; of others' views too."""
    state = SavedView.deleted_at.is_not(None) if deleted else SavedView.deleted_at.is_(None)
    found = _read(place, SavedView.id == view_id, state)
    if not found:
        raise NotFound("This view does not exist. Choose one from the menu.")
    return found[0]


def list_part(list_name: str, part: Part) -> Items:
    """Those that are everybody's, of lists that every member opens, the newest first, for the API.
    Whoever is limited to some clients has none of them."""
    query = (
        select(SavedView)
        .where(SavedView.membership_id.is_(None), SavedView.deleted_at.is_(None))
        .where(SavedView.list_name.in_(OF_EVERYBODY))
        .order_by(SavedView.id.desc())
    )
    if list_name:
        query = query.where(SavedView.list_name == list_name)
    return read_part(query, part, lambda rows: [_to_public(row[0]) for row in rows])


def _to_public(view: SavedView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "list": view.list_name,
        "name": view.name,
        "query": view.query,
        "created_at": iso_utc(view.created_at),
    }


def opens(place: Membership, list_name: str) -> bool:
    return may_open(list_name, place.role, limited=place.limited)


def is_theirs(place: Membership) -> ColumnElement[bool]:
    """A shared view may name clients: whoever is limited to some has their own alone."""
    shared = false() if place.limited else SavedView.membership_id.is_(None)
    return or_(SavedView.membership_id == place.id, shared)


def _read(place: Membership, *conditions: ColumnElement[bool]) -> list[SavedView]:
    query = select(SavedView).where(is_theirs(place), *conditions)
    with beyond_clients():
        found = db.session.scalars(query.execution_options(populate_existing=True))
        return [view for view in found if opens(place, view.list_name)]
