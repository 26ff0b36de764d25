"""One page of a long list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select

from portal.db import db

PAGE_SIZE = 50

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: list[Item]
    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def first_row(self) -> int:
        return (self.number - 1) * PAGE_SIZE + 1 if self.items else 0

    @property
    def last_row(self) -> int:
        return (self.number - 1) * PAGE_SIZE + len(self.items)


def paginate(
    query: Select[Any],
    total_query: Select[int],
    number: int,
    make: Callable[[Row[Any]], Item],
) -> Page[Item]:
    """The page asked for, or the last one when there are fewer."""
    total = db.session.scalar(total_query) or 0
    last = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), last)
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return Page([make(row) for row in rows], number, total)
