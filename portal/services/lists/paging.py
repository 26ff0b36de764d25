"""One page of a long list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, func

from portal.db import db

PAGE_SIZE = 50
FARTHEST = 1_000_000
"""The number of a page beyond all that there are: databases count no farther than 64 bits."""

Item = TypeVar("Item")
Total = Select[int] | int | None
"""How many rows there are, or the query that counts them. None: they are counted while the page is
looked for, where that is what takes the time, and none is wanted twice."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: list[Item]
    number: int
    total: int
    size: int = field(default_factory=lambda: PAGE_SIZE)

    @property
    def last(self) -> int:
        return _count_pages(self.total, self.size)

    @property
    def first_row(self) -> int:
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last_row(self) -> int:
        return (self.number - 1) * self.size + len(self.items)


def paginate(
    query: Select[Any],
    total: Total,
    number: int,
    make: Callable[[Row[Any]], Item],
    size: int | None = None,
) -> Page[Item]:
    """The page asked for, or the last one when there are fewer."""
    size = size or PAGE_SIZE
    rows, total, number = _read(query, total, number, size)
    return Page([make(row) for row in rows], number, total, size)


def paginate_records(
    records: Select[Any], ids: Select[int], total: Total, number: int
) -> Page[Any]:
    """Like `paginate`, of whole records: `ids` finds the page in its order, `records` loads it.

    So no more than an id is read of the rows before a far page; and no database is tempted to
    look for some ids by walking through all records that they might be of.
    """
    key = ids.column_descriptions[0]["expr"]
    rows, total, number = _read(ids, total, number, PAGE_SIZE)
    wanted = [row[0] for row in rows]
    loaded = db.session.scalars(records.where(key.in_(wanted))) if wanted else ()
    by_id = {record.id: record for record in loaded}
    return Page([by_id[each] for each in wanted if each in by_id], number, total)


def paginate_list(items: Sequence[Item], number: int) -> Page[Item]:
    """Like `paginate`, of what was read as a whole."""
    total, number = fit(len(items), number)
    first = (number - 1) * PAGE_SIZE
    return Page(list(items[first : first + PAGE_SIZE]), number, total)


def _read(
    query: Select[Any], total: Total, number: int, size: int
) -> tuple[Sequence[Row[Any]], int, int]:
    """The rows, how many there are in all, and the number of their page. Rows that are counted on
    the way have the count behind their columns."""
    if total is None:
        counted, number = query.add_columns(func.count().over()), min(max(1, number), FARTHEST)
        rows = _read_page(counted, number, size)
        if rows or number == 1:
            return rows, rows[0][-1] if rows else 0, number
        first = _read_page(counted, 1, size)
        total = first[0][-1] if first else 0
    total, number = fit(total, number, size)
    return _read_page(query, number, size), total, number


def _read_page(query: Select[Any], number: int, size: int) -> Sequence[Row[Any]]:
    return db.session.execute(query.limit(size).offset((number - 1) * size)).all()


def fit(total: Select[int] | int, number: int, size: int | None = None) -> tuple[int, int]:
    """The total, and the number of a page that there is."""
    if not isinstance(total, int):
        total = db.session.scalar(total) or 0
    return total, min(max(1, number), _count_pages(total, size or PAGE_SIZE))


def _count_pages(total: int, size: int) -> int:
    return max(1, -(-total // size))
