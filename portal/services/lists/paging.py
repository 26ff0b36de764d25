"""One page of a long list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    total: Select[int] | int,
    number: int,
    make: Callable[[Row[Any]], Item],
) -> Page[Item]:
    """The page asked for, or the last one when there are fewer. `total` may be known already."""
    total, number = _fit(total, number)
    rows = db.session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return Page([make(row) for row in rows], number, total)


def paginate_records(
    records: Select[Any], ids: Select[int], total: Select[int] | int, number: int
) -> Page[Any]:
    """Like `paginate`, of whole records: `ids` finds the page in its order, `records` loads it.

    So no more than an id is read of the rows before a far page; and no database is tempted to
    look for some ids by walking through all records that they might be of.
    """
    total, number = _fit(total, number)
    key = ids.column_descriptions[0]["expr"]
    found = ids.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    wanted = db.session.scalars(found).all()
    loaded = db.session.scalars(records.where(key.in_(wanted))) if wanted else ()
    by_id = {record.id: record for record in loaded}
    return Page([by_id[each] for each in wanted if each in by_id], number, total)


def paginate_list(items: Sequence[Item], number: int) -> Page[Item]:
    """Like `paginate`, of what was read as a whole."""
    total, number = _fit(len(items), number)
    first = (number - 1) * PAGE_SIZE
    return Page(list(items[first : first + PAGE_SIZE]), number, total)


def _fit(total: Select[int] | int, number: int) -> tuple[int, int]:
    """The total, and the number of a page that there is."""
    if not isinstance(total, int):
        total = db.session.scalar(total) or 0
    last = max(1, -(-total // PAGE_SIZE))
    return total, min(max(1, number), last)
