"""Software across the fleet: its titles, found and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from portal.db import db
from portal.errors import NotFound
from portal.models import SoftwareTitle
from portal.services.lists.paging import Page, paginate
from portal.services.lists.search import any_contains, split_words

SORTABLE: dict[str, Any] = {
    "name": SoftwareTitle.normalized_name,
    "publisher": SoftwareTitle.publisher,
    "assets": SoftwareTitle.asset_count,
    "versions": SoftwareTitle.version_count,
}
TITLE_COLUMNS = ("name", "publisher", "asset_count", "version_count")
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class TitleFilter:
    """`with_gone` shows also what no asset has any more. `sort` with a `-` is downwards."""

    search: str = ""
    with_gone: bool = False
    sort: str = "name"


def list_titles(shown: TitleFilter, page: int = 1) -> Page[SoftwareTitle]:
    conditions = title_conditions(shown)
    return paginate(
        select(SoftwareTitle).where(*conditions).order_by(*_order(shown.sort)),
        select(func.count(SoftwareTitle.id)).where(*conditions),
        page,
        lambda row: row[0],
    )


def any_titles() -> bool:
    return db.session.scalar(select(SoftwareTitle.id).limit(1)) is not None


def get_title(title_id: int) -> SoftwareTitle:
    title = db.session.scalar(select(SoftwareTitle).where(SoftwareTitle.id == title_id))
    if title is None:
        raise NotFound("This software does not exist. Choose a title from the list of software.")
    return title


def export_titles(shown: TitleFilter) -> Iterator[dict[str, Any]]:
    """The titles that the filter shows, in its order."""
    found = db.session.execute(
        select(*(getattr(SoftwareTitle, name) for name in TITLE_COLUMNS))
        .where(*title_conditions(shown))
        .order_by(*_order(shown.sort))
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for row in found:
        yield dict(row._mapping)


def title_conditions(shown: TitleFilter) -> list[ColumnElement[bool]]:
    """The filter in SQL."""
    columns = (SoftwareTitle.name, SoftwareTitle.publisher)
    conditions = [any_contains(columns, word) for word in split_words(shown.search)]
    if not shown.with_gone:
        conditions.append(SoftwareTitle.asset_count > 0)
    return conditions


def _order(sort: str) -> tuple[Any, ...]:
    """The name and id come last, so that pages neither repeat nor miss a row among equals."""
    column = SORTABLE.get(sort.lstrip("-"), SoftwareTitle.normalized_name)
    first = column.desc() if sort.startswith("-") else column.asc()
    return first, SoftwareTitle.normalized_name, SoftwareTitle.id
