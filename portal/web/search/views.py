"""Search over everything: the command palette, and a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

from flask import url_for
from flask.typing import ResponseReturnValue

from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.search.records import Found, Kind, find, find_by_ids
from portal.services.search.sources import SOURCES, find_runs
from portal.web.fragments import page_or_region, words
from portal.web.guard import name_allowed, requires, tenant_blueprint
from portal.web.search.commands import MOST_PAGES, Command, list_actions
from portal.web.search.pages import list_pages
from portal.web.search.recent import list_recent, remember
from portal.web.sync_runs.descriptions import name_run_of

search = tenant_blueprint("search", __name__, "/search")
search.after_app_request(remember)


SHOWN: dict[Kind, tuple[str, str, Callable[[Found], str], Callable[[str], str] | None]] = {
    Kind.ASSETS: (
        "Assets",
        "devices",
        lambda found: url_for("assets.show", asset_id=found.id),
        lambda q: url_for("assets.index", q=q),
    ),
    Kind.CLIENTS: (
        "Clients",
        "building",
        lambda found: url_for("clients.show", client_id=found.id),
        lambda q: url_for("clients.index", q=q),
    ),
    Kind.ORGANIZATIONS: (
        "Organizations",
        "sitemap",
        lambda found: url_for("organizations.index", q=found.name),
        lambda q: url_for("organizations.index", q=q),
    ),
    Kind.ALERTS: (
        "Open alerts",
        "bell",
        lambda found: url_for("alerts.show", alert_id=found.id),
        lambda q: url_for("alerts.index", status="any", q=q),
    ),
    Kind.SOFTWARE: (
        "Software",
        "list-details",
        lambda found: url_for("software.product", product_id=found.id),
        lambda q: url_for("software.index", q=q),
    ),
    Kind.TICKETS: (
        "Tickets",
        "stethoscope",
        lambda found: url_for("tickets.show", ticket_id=found.id),
        lambda q: url_for("tickets.index", state="any", q=q),
    ),
    Kind.RUNS: (
        "Sync runs",
        "history",
        lambda found: url_for("sync_runs.show", run_id=found.id),
        None,
    ),
}
"""Kind -> its name and icon, the page of a record, and the list of all that match a text."""
NONE_FOUND = "No record matches by name"
FURTHER = {
    Kind.ASSETS: "users, addresses",
    Kind.ALERTS: "resolved, too",
    Kind.TICKETS: "closed, too",
}
"""What the list of a kind finds, and the search does not."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the palette: where it leads, or what it does."""

    name: str
    note: str
    icon: str
    href: str
    is_post: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """`more`: the list of all that match."""

    label: str
    items: list[Item]
    more: str | None = None

    @property
    def name_of_all(self) -> str:
        return _name_all(self.label)


@search.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    text = words("q")
    groups = _find(text) if text else _suggest()
    return page_or_region(
        "search/page.html", {"palette-options": "search/_options.html"}, q=text, groups=groups
    )


def _find(text: str) -> list[Group]:
    pages = _commands("Pages", list_pages(text, name_allowed())[:MOST_PAGES])
    actions = _commands("Actions", list_actions(text, name_allowed()))
    records = [group for group in map(_group, SHOWN, repeat(text)) if group.items]
    found = [group for group in (pages, *records, actions) if group.items]
    return found if records else [*found, _search_lists(text)]


def _group(kind: Kind, text: str) -> Group:
    label, *_, list_all = SHOWN[kind]
    items = [_record(kind, found) for found in _find_of(kind, text)]
    return Group(label, items, list_all(text) if list_all else None)


def _search_lists(text: str) -> Group:
    """Where no record is found by its name: lists look at more of them, and for more of each."""
    ways = [
        Item(_name_all(label), FURTHER.get(kind, ""), icon, list_all(text))
        for kind, (label, icon, _, list_all) in SHOWN.items()
        if list_all
    ]
    return Group(NONE_FOUND, ways)


def _find_of(kind: Kind, text: str) -> list[Found]:
    if kind is not Kind.RUNS:
        return find(SOURCES[kind], text)
    return find_runs(text, [each for each in SyncKind if text.lower() in name_run_of(each).lower()])


def _suggest() -> list[Group]:
    """Before anything is typed: what was opened last, pages and actions."""
    groups = [
        Group("Recent", _list_recent()),
        _commands("Pages", list_pages("", name_allowed())),
        _commands("Actions", list_actions("", name_allowed())),
    ]
    return [group for group in groups if group.items]


def _list_recent() -> list[Item]:
    recent = list_recent()
    found: dict[tuple[Kind, int], Item] = {}
    for kind in {kind for kind, _ in recent}:
        ids = [number for each, number in recent if each is kind]
        found |= {(kind, one.id): _record(kind, one) for one in find_by_ids(SOURCES[kind], ids)}
    return [found[each] for each in recent if each in found]


def _record(kind: Kind, found: Found) -> Item:
    _, icon, address, _ = SHOWN[kind]
    name, note = found.name, found.note or ""
    if kind is Kind.RUNS:
        name, note = f"{name_run_of(SyncKind(name))} #{found.id}", note.capitalize()
    return Item(name, note, icon, address(found))


def _name_all(label: str) -> str:
    return f"All {label.lower().removeprefix('open ')} that match"


def _commands(label: str, commands: list[Command]) -> Group:
    return Group(label, [Item(c.name, "", c.icon, c.href, c.is_post) for c in commands])
