"""What pages with a list, and the menu of every page, are told of views and of how lists look."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import g, request

from portal.errors import InvalidInput, NotFound
from portal.models import Membership, SavedView
from portal.services.saved_views.keeping import TOO_LONG
from portal.services.saved_views.listing import get_view, list_links
from portal.services.saved_views.lists import LISTS
from portal.services.saved_views.looks import DENSITIES, Look, find_start, read_density, read_look
from portal.web.fragments import words
from portal.web.input import to_id

OF_NO_VIEW = ("page", "before", "view", "columns")
"""Of a list's address, what a view does not keep as it stands."""
SHOWN_IN_MENU = 12
FILTER_FORMS = {
    "assets": "asset-filters",
    "alerts": "alert-filters",
    "tickets": "ticket-filters",
    "sync_runs": "run-filters",
    "software": "software-filters",
    "clients": "client-filters",
    "organizations": "organization-filters",
    "activity": "event-filters",
    "deliveries": "delivery-filters",
    "conflicts": "conflict-filters",
    "audit": "audit-filters",
}
"""Ids of the forms with a list's filters, which carry the view and its columns too."""
ICONS = {
    "assets": "devices",
    "alerts": "bell",
    "tickets": "stethoscope",
    "sync_runs": "history",
    "software": "list-details",
    "clients": "building",
    "organizations": "sitemap",
    "activity": "activity",
    "deliveries": "download",
    "conflicts": "switch-horizontal",
    "audit": "eye-question",
}


def get_place() -> Membership:
    place: Membership = g.membership
    return place


def list_context(list_name: str) -> dict[str, Any]:
    """For the page of a list: which columns it shows, and what a view of it would keep."""
    look = read_look(get_place(), list_name, words("columns"))
    return {
        "look": look,
        "view": _find_view(list_name),
        "view_query": _clean(look),
        "filter_form": FILTER_FORMS[list_name],
    }


def clean_query(text: str) -> str:
    """Of what a form carries: filters, order and columns as an address has them. Raises
    InvalidInput for more fields than any list has."""
    try:
        pairs = parse_qsl(text.strip().removeprefix("?"), max_num_fields=100)
    except ValueError as error:
        raise InvalidInput(TOO_LONG) from error
    return urlencode([pair for pair in pairs if pair[0] not in OF_NO_VIEW[:3]])


def menu_context() -> dict[str, Any]:
    """For every page."""
    place: Membership | None = g.get("membership")
    if place is None:
        return {"view_links": [], "view_starts": {}, "density": "", "densities": DENSITIES}
    links = list_links(place)
    ids = {link.id for link in links}
    starts = {word: find_start(place, word) for word in LISTS}
    return {
        "view_links": links[:SHOWN_IN_MENU],
        "view_starts": {word: start for word, start in starts.items() if start in ids},
        "shown_view": request.args.get("view", type=to_id),
        "density": read_density(place),
        "densities": DENSITIES,
        "view_icons": ICONS,
    }


def _find_view(list_name: str) -> SavedView | None:
    """The view that the address names. One that is gone changes nothing of what the list shows."""
    view_id = request.args.get("view", type=to_id)
    if view_id is None:
        return None
    try:
        view = get_view(get_place(), view_id)
    except NotFound:
        return None
    return view if view.list_name == list_name else None


def _clean(look: Look) -> str:
    kept = [pair for pair in request.args.items(multi=True) if pair[0] not in OF_NO_VIEW]
    if look.columns != look.shape.standard:
        kept.append(("columns", ",".join(look.columns)))
    return urlencode([(name, value) for name, value in kept if value])
