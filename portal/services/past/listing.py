"""The list of assets as of a past day, filtered and in order.

What is now as it was, most of a fleet, the database filters and puts in order, and no more of it is
read than may be on the page. What changed since is rebuilt, and put between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true

from portal.db import db
from portal.models import Asset, Client
from portal.models.organizations.client import name_key
from portal.scope import allowed_clients, beyond_clients
from portal.services.assets.listing import EVERY, MISSING, RETIRED, AssetFilter
from portal.services.export import Row
from portal.services.lists.folding import fold, folded
from portal.services.lists.paging import PAGE_SIZE, Page, fit
from portal.services.lists.search import any_contains, split_words
from portal.services.past.fleet import (
    Fleet,
    PastRow,
    name_clients,
    read_changed,
    read_facts,
    read_fleet,
)
from portal.services.past.records import is_unchanged, list_plain
from portal.services.past.walking import PastAsset

_EQUAL = ("client_id", "asset_type", "site_name", "os_type")
"""What the filter asks for as it stands."""
_SEARCHED = ("name", "serial_number", "description")
_SORTABLE = {
    "client": Client.name_key,
    "site": Asset.site_name,
    "type": Asset.asset_type,
}
"""Beside the name, in the order of which comes what is equal."""


@dataclass(frozen=True, slots=True)
class PastPage:
    """`page`: each with the columns of PAST_COLUMNS. `by_type`: how many there are in all;
    `os_types`: of all assets that there were, whatever the filter."""

    page: Page[tuple[PastRow, Row]]
    by_type: Counter[str]
    os_types: list[str]


def list_past_assets(
    moment: datetime, shown: AssetFilter, number: int, known: Mapping[int, str]
) -> PastPage:
    """`known`: names of clients, of which none is asked for again. Of the filter's words those of
    STATUSES show nothing, as nobody knows them of a past day."""
    fleet = read_changed(moment)
    changed = [row for row in fleet.rows if _matches(row.asset, shown)]
    by_type, os_types = _count_unchanged(fleet, shown)
    by_type.update(row.asset.asset_type for row in changed)
    os_types |= {asset.os_type for asset in fleet.present}
    total, number = fit(by_type.total(), number)
    first = (number - 1) * PAGE_SIZE
    begin = max(0, first - len(changed))  # all that changed may come before the page
    between = _read_unchanged(fleet, shown, begin, first + PAGE_SIZE)
    rows = changed + [PastRow(asset, asset.id) for asset in between]
    clients = _name_clients(rows, known)
    items = _put_in_order(rows, shown.sort, clients)[first - begin :][:PAGE_SIZE]
    facts = read_facts(fleet, items, clients)
    page = Page(list(zip(items, facts, strict=True)), number, total)
    return PastPage(page, by_type, sorted(filter(None, os_types)))


def export_past_assets(moment: datetime, shown: AssetFilter) -> Iterator[Row]:
    """All that the list shows, in its order, with the columns of PAST_COLUMNS."""
    fleet = read_fleet(moment)
    rows = [row for row in fleet.rows if _matches(row.asset, shown)]
    clients = _name_clients(rows, {})
    return read_facts(fleet, _put_in_order(rows, shown.sort, clients), clients)


def _count_unchanged(fleet: Fleet, shown: AssetFilter) -> tuple[Counter[str], set[str | None]]:
    """How many of them the filter shows, by type; and the systems of all."""
    number, are_theirs = func.count().filter(and_(true(), *_conditions(shown))), _is_theirs(fleet)
    with beyond_clients():
        rows = db.session.execute(
            select(Asset.asset_type, Asset.os_type, number)
            .where(*are_theirs)
            .group_by(Asset.asset_type, Asset.os_type)
        ).all()
    counts = Counter[str]()
    for asset_type, _os_type, number_of in rows if _is_any_shown(shown) else ():
        counts[asset_type] += number_of
    return counts, {row.os_type for row in rows}


def _read_unchanged(fleet: Fleet, shown: AssetFilter, begin: int, end: int) -> list[PastAsset]:
    """From the one to before the other, in the order of the filter."""
    if not _is_any_shown(shown):
        return []
    word, is_down = _read_sort(shown.sort)
    parts: list[Any] = [folded(Asset.name), Asset.id]
    query = list_plain().where(*_is_theirs(fleet), *_conditions(shown))
    if word in _SORTABLE:
        parts.insert(0, folded(_SORTABLE[word]))
    if word == "client":
        query = query.join(Client, Client.id == Asset.client_id)
    query = query.order_by(*(part.desc() if is_down else part for part in parts))
    with beyond_clients():
        rows = db.session.execute(query.offset(begin).limit(end - begin))
        return [PastAsset(*row) for row in rows]


def _is_theirs(fleet: Fleet) -> list[ColumnElement[bool]]:
    """What did not change, of clients that whoever asks may see."""
    allowed = allowed_clients()
    theirs = [] if allowed is None else [Asset.client_id.in_(allowed)]
    return [is_unchanged(fleet.changed), *theirs]


def _conditions(shown: AssetFilter) -> list[ColumnElement[bool]]:
    """`_matches` in SQL, but for the status."""
    asked = [(getattr(Asset, name), getattr(shown, name)) for name in _EQUAL]
    columns = [getattr(Asset, name) for name in _SEARCHED]
    return [
        *(column == value for column, value in asked if value not in ("", None)),
        *(any_contains(columns, word) for word in split_words(shown.search)),
    ]


def _matches(asset: PastAsset, shown: AssetFilter) -> bool:
    if not _is_shown(asset, shown.status):
        return False
    for name in _EQUAL:
        if getattr(shown, name) not in ("", None, getattr(asset, name)):
            return False
    if not shown.search:
        return True
    texts = (getattr(asset, name) for name in _SEARCHED)
    held = " ".join(text for text in texts if text).casefold()
    return all(word in held for word in shown.search.casefold().split())


def _is_shown(asset: PastAsset, status: str) -> bool:
    if status == MISSING:
        return asset.missing_since is not None and asset.retired_at is None
    if status == RETIRED:
        return asset.retired_at is not None
    return status == EVERY or (status == "" and asset.missing_since is None)


def _is_any_shown(shown: AssetFilter) -> bool:
    """Of what did not change: none of it is missing."""
    return shown.status in ("", EVERY)


def _put_in_order(rows: Iterable[PastRow], sort: str, clients: Mapping[int, str]) -> list[PastRow]:
    word, is_down = _read_sort(sort)

    def place(row: PastRow) -> tuple[str, str, int]:
        return _read_place(row.asset, word, clients), fold(row.asset.name), row.asset.id

    return sorted(rows, key=place, reverse=is_down)


def _read_place(asset: PastAsset, word: str, clients: Mapping[int, str]) -> str:
    match word:
        case "client":
            return fold(name_key(clients.get(asset.client_id, "")))
        case "site":
            return fold(asset.site_name)
        case "type":
            return fold(asset.asset_type)
    return ""


def _read_sort(sort: str) -> tuple[str, bool]:
    """The word, and whether it is downwards."""
    return sort.lstrip("-"), sort.startswith("-")


def _name_clients(rows: Iterable[PastRow], known: Mapping[int, str]) -> dict[int, str]:
    others = name_clients(row.asset for row in rows if row.asset.client_id not in known)
    return {**known, **others}
