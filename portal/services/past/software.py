"""The software of a past day: what each list had, as far as it was read by then.

An install that went and came back is stored without the time between: it counts as there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Select, func, or_, select

from portal.db import db, is_among
from portal.models import AssetSoftware, RemovedAsset, SoftwareProduct, SoftwareTitle
from portal.scope import allowed_clients, beyond_clients
from portal.services.export import ROWS_AT_ONCE, SOFTWARE_COLUMNS, Row
from portal.services.lists.paging import Page, paginate
from portal.services.lists.search import any_contains, split_words
from portal.services.past.fleet import Fleet, PastRow, read_fleet, read_presence
from portal.services.plain import plain
from portal.services.software.counts import product_id_of_title
from portal.sync.devices.merging.snapshots import row_from_json
from portal.sync.software.products import installed_version

Told: TypeAlias = dict[int, list[tuple[int, str]]]
"""By product: asset and version of installs of assets that were merged or removed since."""
COUNTED_AT_ONCE = 20
"""Products of a page: of each all installs that there were are counted, which may be one of every
asset."""
_PRODUCT: tuple[Any, ...] = (SoftwareProduct.id, SoftwareProduct.name, SoftwareProduct.publisher)
PAST_SOFTWARE_COLUMNS = tuple(name for name in SOFTWARE_COLUMNS if name != "removed_at")


@dataclass(frozen=True, slots=True)
class PastProduct:
    """On how many assets it was installed."""

    id: int
    name: str
    publisher: str
    asset_count: int


class Install(NamedTuple):
    """One version of a title on one asset."""

    asset_id: int
    title_id: int
    version: str
    installed_on: Any
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class PastSoftware:
    """Of a fleet, as of a moment. `told` are the installs of assets that were merged or removed
    since: what the database has of them now is no more what each had."""

    moment: datetime
    fleet: Mapping[int, PastRow]
    told: Sequence[Install]
    mixed: Collection[int]
    """The ids of these assets."""
    away: Collection[int]
    """As the fleet has it."""
    is_all: bool
    """Whether the fleet is the whole tenant's."""

    def conditions(self, *, present: bool) -> list[ColumnElement[bool]]:
        """In SQL: of the fleet, what was installed, without what is told; `present`: of assets
        that Tactical listed only."""
        return [*installed_at(self.moment), self._is_of_fleet(present)]

    def _is_of_fleet(self, present: bool) -> ColumnElement[bool]:
        """By those that are not, of whoever sees all: they are few. What came later has no install
        from before."""
        wanted = self._wanted(present)
        if not self.is_all:
            return is_among(AssetSoftware.asset_id, sorted(wanted - set(self.mixed)))
        others = (self.fleet.keys() - wanted) | set(self.mixed) | set(self.away)
        return ~is_among(AssetSoftware.asset_id, sorted(others))

    def list_told(self, *, present: bool) -> list[Install]:
        ids = self._wanted(present)
        return [each for each in self.told if each.asset_id in ids]

    def _wanted(self, present: bool) -> set[int]:
        return {i for i, row in self.fleet.items() if row.asset.is_present or not present}


def read_past_products(moment: datetime) -> PastSoftware:
    """To list products with: whoever sees all needs to know no asset that was listed as it is."""
    is_all = allowed_clients() is None
    return read_past_software(read_presence(moment) if is_all else read_fleet(moment))


def read_past_software(fleet: Fleet) -> PastSoftware:
    """One statement, where something was merged or removed since."""
    with beyond_clients():
        lists = _read_mixed(fleet.moment) if fleet.removed else {}
    told = [each for own in lists.values() for each in own]
    rows = {row.asset.id: row for row in fleet.rows}
    is_all = allowed_clients() is None
    return PastSoftware(fleet.moment, rows, told, lists.keys(), fleet.away, is_all)


def installed_at(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return AssetSoftware.first_seen_at < moment, is_kept(moment)


def is_kept(moment: datetime) -> ColumnElement[bool]:
    """It was not gone by then."""
    return or_(AssetSoftware.removed_at.is_(None), AssetSoftware.removed_at >= moment)


def list_past_products(past: PastSoftware, search: str, page: int) -> Page[PastProduct]:
    """Those that an asset had, by name, with how many had it."""
    told = _find_products(past.list_told(present=True))
    list_them = _list_of_all if past.is_all else _list_of_few
    with beyond_clients():  # the installs are those of assets that were theirs
        return list_them(past, told, search, page)


def _list_of_few(past: PastSoftware, told: Told, search: str, page: int) -> Page[PastProduct]:
    """All installs of the fleet are counted, and the products found with their numbers."""
    product, counted = SoftwareProduct, _query_counts(past).cte("past_counts")
    number = func.coalesce(counted.c.assets, 0)
    query = (
        select(*_PRODUCT, number)
        .outerjoin(counted, counted.c.id == product.id)
        .where(or_(number > 0, product.id.in_(told)), *_find_words(search))
        .order_by(product.name_key, product.id)
    )
    found: Page[Any] = paginate(query, None, page, lambda row: row, COUNTED_AT_ONCE)
    rows = [PastProduct(*row[:4]) for row in found.items]
    return replace(found, items=[_add_told(each, told) for each in rows])


def _list_of_all(past: PastSoftware, told: Told, search: str, page: int) -> Page[PastProduct]:
    """Of each product it is looked for one install, and those of a page are counted."""
    product, title = SoftwareProduct, SoftwareTitle
    had = (
        select(AssetSoftware.id)
        .join(title, title.id == AssetSoftware.title_id)
        .where(title.product_id == product.id, *past.conditions(present=True))
        .limit(1)
        .correlate(product)
        .scalar_subquery()
    )
    conditions = [or_(had.is_not(None), product.id.in_(told)), *_find_words(search)]
    query = select(*_PRODUCT).where(*conditions).order_by(product.name_key, product.id)
    total = select(func.count(product.id)).where(*conditions)
    found: Page[Any] = paginate(query, total, page, lambda row: row, COUNTED_AT_ONCE)
    is_shown = title.product_id.in_([row.id for row in found.items])
    counted = db.session.execute(_query_counts(past).where(is_shown))
    counts = {row.id: row.assets for row in counted}
    rows = [PastProduct(row[0], row[1], row[2], counts.get(row[0], 0)) for row in found.items]
    return replace(found, items=[_add_told(each, told) for each in rows])


def _find_words(search: str) -> list[ColumnElement[bool]]:
    columns = (SoftwareProduct.name, SoftwareProduct.publisher)
    return [any_contains(columns, word) for word in split_words(search)]


def list_installs_of(past: PastSoftware, product_id: int) -> list[tuple[PastRow, str]]:
    """Which assets that Tactical listed had the product, in which versions; by name."""
    with beyond_clients():
        rows = db.session.execute(
            select(AssetSoftware.asset_id, installed_version())
            .join(SoftwareTitle, SoftwareTitle.id == AssetSoftware.title_id)
            .where(SoftwareTitle.product_id == product_id, *past.conditions(present=True))
        ).all()
    pairs = [(row[0], row[1]) for row in rows]
    pairs += _find_products(past.list_told(present=True)).get(product_id, [])
    found = [(past.fleet[each], version) for each, version in pairs if each in past.fleet]
    return sorted(
        found, key=lambda each: (each[0].asset.name.casefold(), each[0].asset.id, each[1])
    )


def name_past_product(product_id: int) -> str:
    """Of one that an asset of theirs had: today only others may have it."""
    with beyond_clients():
        named = select(SoftwareProduct.name).where(SoftwareProduct.id == product_id)
        return db.session.scalars(named).one()


def export_past_software(past: PastSoftware, search: str = "") -> Iterator[Row]:
    """Every install of assets that there were, missing ones too, asset by asset; of products that
    the search finds."""
    told = past.list_told(present=False)
    titles = _name_titles({each.title_id for each in told}, search)
    for each in sorted(told):
        if each.title_id in titles:
            yield _to_row(past, each, titles[each.title_id])
    columns = [getattr(AssetSoftware, name) for name in Install._fields]
    with beyond_clients():
        found = db.session.execute(
            select(*columns, SoftwareTitle.name, SoftwareTitle.publisher, SoftwareProduct.name)
            .join(SoftwareTitle, SoftwareTitle.id == AssetSoftware.title_id)
            .outerjoin(SoftwareProduct, SoftwareProduct.id == SoftwareTitle.product_id)
            .where(*past.conditions(present=False), *_find_words(search))
            .order_by(AssetSoftware.asset_id, AssetSoftware.title_id, AssetSoftware.version)
            .execution_options(yield_per=ROWS_AT_ONCE)
        )
    for *values, name, publisher, product in found:
        install = Install(*values)
        if install.asset_id in past.fleet:
            yield _to_row(past, install, (name, publisher, product))


def _to_row(past: PastSoftware, install: Install, title: tuple[str, str, str | None]) -> Row:
    """`title`: its name, its publisher and its product."""
    asset = past.fleet[install.asset_id].asset
    values = {
        "asset": asset.name,
        "rmm_device_id": asset.rmm_device_id,
        "name": title[0],
        "publisher": title[1] or None,
        "version": install.version or None,
        "installed_on": install.installed_on,
        "first_seen_at": install.first_seen_at,
        "missing_since": asset.missing_since,
        "product": title[2],
    }
    return {name: plain(values[name]) for name in PAST_SOFTWARE_COLUMNS}


def _find_products(told: Sequence[Install]) -> Told:
    if not told:
        return {}
    title, ids = SoftwareTitle, sorted({each.title_id for each in told})
    with beyond_clients():
        found = db.session.execute(
            select(title.id, title.product_id, title.named_version).where(is_among(title.id, ids))
        )
        titles = {row.id: (row.product_id, row.named_version) for row in found}
    products: Told = {}
    for each in told:
        product_id, named = titles.get(each.title_id, (None, ""))
        if product_id is not None:
            products.setdefault(product_id, []).append((each.asset_id, each.version or named))
    return products


def _query_counts(past: PastSoftware) -> Select[Any]:
    """By product: on how many assets it was installed. Those that had it in several versions count
    once."""
    row, title = AssetSoftware, SoftwareTitle
    product_id: Any = title.product_id if past.is_all else product_id_of_title()
    number: Any = func.count(row.asset_id.distinct())
    return (
        select(product_id.label("id"), number.label("assets"))
        .join(title, title.id == row.title_id)
        .where(*past.conditions(present=True))
        .group_by(product_id)
    )


def _add_told(row: PastProduct, told: Told) -> PastProduct:
    more = {asset_id for asset_id, _ in told.get(row.id, ())}
    return replace(row, asset_count=row.asset_count + len(more))


def _name_titles(title_ids: Collection[int], search: str) -> dict[int, tuple[str, str, str | None]]:
    title, product = SoftwareTitle, SoftwareProduct
    with beyond_clients():
        rows = db.session.execute(
            select(title.id, title.name, title.publisher, product.name)
            .outerjoin(product, product.id == title.product_id)
            .where(is_among(title.id, sorted(title_ids)), *_find_words(search))
        ).all()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _read_mixed(moment: datetime) -> dict[int, list[Install]]:
    """By asset: what each had that was merged or removed since. Of several times the first one
    counts: what was kept then is what it had."""
    table, snapshot = RemovedAsset, RemovedAsset.snapshot
    rows = db.session.execute(
        select(table.asset_id, table.removed_at, snapshot["software"], snapshot["kept"])
        .add_columns(snapshot["merged"])
        .where(table.removed_at >= moment)
    ).all()
    removed = [(row.removed_at, row.asset_id, row[2], row[3]) for row in rows]
    for row in (each for found in rows for each in found[4] or ()):
        shot, at = row["snapshot"], datetime.fromisoformat(row["removed_at"])
        removed.append((at, row["asset_id"], shot.get("software"), shot.get("kept")))
    lists: dict[int, list[Install]] = {}
    for at, asset_id, software, kept in sorted(removed, key=lambda each: each[0], reverse=True):
        if at < moment:
            continue
        lists[asset_id] = _read_installs(asset_id, software or (), moment)
        if kept:
            keep_id = kept["before"]["id"]
            lists[keep_id] = _read_installs(keep_id, kept["software"], moment)
    return lists


def _read_installs(
    asset_id: int, rows: Iterable[Mapping[str, Any]], moment: datetime
) -> list[Install]:
    found = []
    for row in (row_from_json(AssetSoftware, row) for row in rows):
        was_there = row["first_seen_at"] < moment
        if was_there and (row["removed_at"] is None or row["removed_at"] >= moment):
            wanted = ("title_id", "version", "installed_on", "first_seen_at")
            found.append(Install(asset_id, *(row[name] for name in wanted)))
    return found
