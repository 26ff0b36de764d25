"""A part of a list, found by where the part before it ended: as quick at the end of the list as at
its beginning, and unmoved by rows that come meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlakeyset import select_page
from sqlalchemy import Row, Select

from portal.db import db
from portal.services.export import Row as Record

MOST_ITEMS = 1000
DEFAULT_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked for: at most `limit` items, after the place that the part before gave."""

    limit: int = DEFAULT_ITEMS
    after: str | None = None
    """As `Items.end`: never what somebody typed, who could make the database fail by it."""


@dataclass(frozen=True, slots=True)
class Items:
    records: list[Record]
    end: str | None
    """The place to go on from; None at the end of the list."""


def read_part(
    query: Select[Any], part: Part, make: Callable[[Sequence[Row[Any]]], list[Record]]
) -> Items:
    """The query's order must tell every row from every other one; none of its columns is null, and
    all are among those that are read: others would be added under names that are new each time, so
    that each part's statement would be compiled anew."""
    page = select_page(db.session(), query, per_page=part.limit, page=part.after)
    end = page.paging.bookmark_next if page.paging.has_next else None
    return Items(make(list(page)), end)
