"""What came to computers, went from them and was updated within a month: by product, since a new
version often has a title of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.db import db, is_among
from portal.models import Asset, AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.services.past.software import is_kept
from portal.sync.software.products import installed_version
from portal.versions import is_known_version, version_key

_BETWEEN = "\n"
"""Of the versions that one computer has of a product, in SQL."""


@dataclass(frozen=True, slots=True)
class SoftwareLine:
    """On how many computers a product came, went, or has another version. The newest version that
    a computer has counts: `updated_from` and `updated_to` are the different ones, the oldest
    first."""

    product_id: int
    name: str
    publisher: str
    came: int
    updated: int
    went: int
    updated_from: tuple[str, ...]
    updated_to: tuple[str, ...]


def list_software(asset_ids: Sequence[int], start: datetime, until: datetime) -> list[SoftwareLine]:
    """What changed on the most computers comes first. The first list of a computer changes
    nothing, and nor does what came and went in between."""
    if not asset_ids:
        return []
    found: defaultdict[tuple[int, str, str], list[Any]] = defaultdict(list)
    for product_id, name, publisher, *numbers in db.session.execute(
        _select_changes(asset_ids, start, until)
    ):
        found[product_id, name, publisher].append(numbers)
    lines = [to_line(*product, numbers) for product, numbers in found.items()]
    changed = [(line.came + line.updated + line.went, line) for line in lines]
    in_order = sorted(changed, key=lambda e: (-e[0], e[1].name.casefold(), e[1].product_id))
    return [line for number, line in in_order if number]


def _select_changes(asset_ids: Sequence[int], start: datetime, until: datetime) -> Select[Any]:
    """The product, its versions before and after, and how many computers had just these."""
    row, title, product = AssetSoftware, SoftwareTitle, SoftwareProduct
    changed = _list_changed(asset_ids, start, until).cte("changed")
    was_there = or_(row.first_seen_at < start, row.first_seen_at == changed.c.first_at)
    each = (
        select(changed.c.product_id, changed.c.asset_id)
        .add_columns(_versions(was_there & is_kept(start)).label("before"))
        .add_columns(_versions(is_kept(until)).label("after"))
        .join(title, title.product_id == changed.c.product_id)
        .join(row, (row.asset_id == changed.c.asset_id) & (row.title_id == title.id))
        .where(row.first_seen_at < until, is_kept(start))
        .group_by(changed.c.product_id, changed.c.asset_id)
        .subquery()
    )
    by = (each.c.product_id, each.c.before, each.c.after)
    counted = select(*by, func.count().label("computers")).group_by(*by).subquery()
    its = counted.c
    return select(
        product.id, product.name, product.publisher, its.before, its.after, its.computers
    ).join(counted, its.product_id == product.id)


def _list_changed(asset_ids: Sequence[int], start: datetime, until: datetime) -> Select[Any]:
    """Computers, and products of which something came to them or went: few of all that there is.
    `first_at`: of one whose first list is of this time."""
    row, title = AssetSoftware, SoftwareTitle
    firsts = _find_firsts(asset_ids, start).subquery()
    is_later = or_(firsts.c.at.is_(None), row.first_seen_at > firsts.c.at)
    is_new = (row.first_seen_at >= start) & (row.first_seen_at < until)
    is_gone = (row.removed_at >= start) & (row.removed_at < until)
    return (
        select(row.asset_id, title.product_id, firsts.c.at.label("first_at"))
        .join(title, title.id == row.title_id)
        .outerjoin(firsts, firsts.c.asset_id == row.asset_id)
        .where(is_among(row.asset_id, asset_ids))
        .where(or_(is_new & is_later, is_gone))
        .distinct()
    )


def _find_firsts(asset_ids: Sequence[int], start: datetime) -> Select[int, datetime]:
    """When the first list of a computer was read, where none had been before. Most had one: of
    each, one old install is enough to know, rather than the oldest of a million."""
    row, before = AssetSoftware, aliased(AssetSoftware)
    old = select(before.id).where(before.asset_id == Asset.id, before.first_seen_at < start)
    return (
        select(Asset.id.label("asset_id"), func.min(row.first_seen_at).label("at"))
        .join(row, row.asset_id == Asset.id)
        .where(is_among(Asset.id, asset_ids))
        .where(old.limit(1).correlate(Asset).scalar_subquery().is_(None))
        .group_by(Asset.id)
    )


def _versions(is_meant: ColumnElement[bool]) -> ColumnElement[Any]:
    """Of one computer; NULL where it has none."""
    return func.aggregate_strings(case((is_meant, installed_version())), _BETWEEN)


def to_line(
    product_id: int, name: str, publisher: str, rows: Iterable[tuple[str | None, str | None, int]]
) -> SoftwareLine:
    """`rows`: the versions before, those after, and how many computers had just these."""
    came = went = 0
    updates: Counter[tuple[str, str]] = Counter()
    for before, after, computers in rows:
        if before is not None and after is not None:
            updates[_find_newest(before), _find_newest(after)] += computers
        elif after is not None:
            came += computers
        elif before is not None:
            went += computers
    told = {pair: number for pair, number in updates.items() if not _are_same(*pair)}
    olds, news = _in_order(old for old, _ in told), _in_order(new for _, new in told)
    updated = sum(told.values())
    return SoftwareLine(product_id, name, publisher, came, updated, went, olds, news)


def _find_newest(versions: str) -> str:
    return max(versions.split(_BETWEEN), key=lambda each: (version_key(each), each))


def _are_same(one: str, other: str) -> bool:
    """Of two that nobody can compare, no more is known than that they are spelled alike."""
    return one == other or (is_known_version(one) and version_key(one) == version_key(other))


def _in_order(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(versions), key=lambda each: (version_key(each), each)))
