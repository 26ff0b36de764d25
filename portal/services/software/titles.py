"""Software across the fleet: its titles, found and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    SQLColumnExpression,
    case,
    false,
    func,
    select,
    true,
)

from portal.db import db
from portal.errors import NotFound
from portal.models import Asset, AssetSoftware, SoftwareTitle
from portal.scope import allowed_clients
from portal.services.lists.paging import Page, paginate
from portal.services.lists.search import any_contains, split_words

TITLE_COLUMNS = ("name", "publisher", "asset_count", "version_count")
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class TitleFilter:
    """`with_gone` shows also what no asset has any more. `sort` with a `-` is downwards."""

    search: str = ""
    with_gone: bool = False
    sort: str = "name"


@dataclass(frozen=True, slots=True)
class TitleRow:
    """Counts are of the assets that whoever asks may see, missing ones aside."""

    id: int
    name: str
    publisher: str
    asset_count: int
    version_count: int


def list_titles(shown: TitleFilter, page: int = 1) -> Page[TitleRow]:
    counts = TitleCounts()
    conditions = title_conditions(shown, counts)
    total = None if counts.are_own else select(func.count(SoftwareTitle.id)).where(*conditions)
    return paginate(
        counts.select(SoftwareTitle.id).where(*conditions).order_by(*_order(shown.sort, counts)),
        total,
        page,
        lambda row: TitleRow(*row[: len(fields(TitleRow))]),
    )


def describe_title(title_id: int) -> TitleRow:
    """Raises NotFound."""
    found = TitleCounts().select(SoftwareTitle.id).where(SoftwareTitle.id == title_id)
    row = db.session.execute(found).first()
    if row is None:
        raise NotFound("This software does not exist. Choose a title from the list of software.")
    return TitleRow(**row._mapping)


def any_titles() -> bool:
    return db.session.scalar(select(SoftwareTitle.id).limit(1)) is not None


def export_titles(shown: TitleFilter) -> Iterator[dict[str, Any]]:
    """The titles that the filter shows, in its order."""
    counts = TitleCounts()
    found = db.session.execute(
        counts.select()
        .where(*title_conditions(shown, counts))
        .order_by(*_order(shown.sort, counts))
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for row in found:
        yield dict(row._mapping)


class TitleCounts:
    """The two counts of a title, in SQL: those that are kept with it, which are of the whole fleet;
    for whoever is limited to some clients, those of their assets."""

    def __init__(self) -> None:
        self._own = None if allowed_clients() is None else _count_own()
        self.are_own = self._own is not None
        self.assets: SQLColumnExpression[int] = SoftwareTitle.asset_count
        self.versions: SQLColumnExpression[int] = SoftwareTitle.version_count
        if self._own is not None:
            self.assets = func.coalesce(self._own.c.assets, 0)
            self.versions = func.coalesce(self._own.c.versions, 0)

    def select(self, *columns: Any) -> Select[Any]:
        """`columns` and those of TITLE_COLUMNS."""
        named = (SoftwareTitle.name, SoftwareTitle.publisher)
        counts: tuple[Any, ...] = (
            self.assets.label("asset_count"),
            self.versions.label("version_count"),
        )
        query, own = select(*columns, *named, *counts), self._own
        return query if own is None else query.outerjoin(own, own.c.title_id == SoftwareTitle.id)


def _count_own() -> CTE:
    """Counted once: PostgreSQL would do it anew for each title, of which it expects a few."""
    return (
        select(
            AssetSoftware.title_id,
            func.count(AssetSoftware.asset_id.distinct()).label("assets"),
            func.count(AssetSoftware.version.distinct()).label("versions"),
        )
        .join(Asset, Asset.id == AssetSoftware.asset_id)
        .where(AssetSoftware.removed_at.is_(None), Asset.missing_since.is_(None))
        .group_by(AssetSoftware.title_id)
        .cte("own_titles")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def title_conditions(shown: TitleFilter, counts: TitleCounts) -> list[ColumnElement[bool]]:
    """The filter in SQL."""
    columns = (SoftwareTitle.name, SoftwareTitle.publisher)
    conditions = [any_contains(columns, word) for word in split_words(shown.search)]
    if counts.are_own:  # so that PostgreSQL expects many titles, and joins their counts at once
        conditions = [case((each, true()), else_=false()) for each in conditions]
    if not shown.with_gone:
        conditions.append(counts.assets > 0)
    return conditions


def _order(sort: str, counts: TitleCounts) -> tuple[Any, ...]:
    """The name and id come last, so that pages neither repeat nor miss a row among equals."""
    sortable: dict[str, Any] = {
        "publisher": SoftwareTitle.publisher,
        "assets": counts.assets,
        "versions": counts.versions,
    }
    column = sortable.get(sort.lstrip("-"), SoftwareTitle.normalized_name)
    first = column.desc() if sort.startswith("-") else column.asc()
    return first, SoftwareTitle.normalized_name, SoftwareTitle.id
