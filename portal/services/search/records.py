"""Records of every kind, found by a few letters of what people call them.

One statement a kind. Within it only the ids of the best matches are put in order; the rows of these
few alone are read as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    func,
    not_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import db
from portal.services.lists.search import any_contains, holds_word, split_words

MOST_FOUND = 5
"""Of one kind. The list of the kind shows all."""
NEWEST = 5000
"""How many are looked at of what is searched from the newest on: its number has no bound."""
Conditions = tuple[ColumnElement[bool], ...]
Rows = Select[int, Any, Any]


class Kind(StrEnum):
    ASSETS = "assets"
    CLIENTS = "clients"
    ORGANIZATIONS = "organizations"
    ALERTS = "alerts"
    SOFTWARE = "software"
    TICKETS = "tickets"
    RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Found:
    """A record, as `Source.describe` selects it: `name` and `note` are words for people."""

    id: int
    name: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """How records of a kind are found."""

    key: InstrumentedAttribute[int]
    name: SQLColumnExpression[Any]
    """Every word is looked for in it. What is the text itself comes first, then what begins so."""
    place: SQLColumnExpression[Any]
    """The order among those."""
    describe: Callable[[], Rows]
    """Of any of them: the columns of `Found`."""
    within: Callable[[], Conditions] = tuple
    """What is looked at, of all of the kind."""
    is_by_time: bool = False
    """`place` is one: the newest are looked at, and come first."""
    plain: InstrumentedAttribute[Any] | None = None
    """The words of the name without accents, for whoever types none."""
    known_by: InstrumentedAttribute[Any] | None = None
    """In capitals, and indexed: what has the whole text there matches too."""


def find(source: Source, text: str) -> list[Found]:
    """The best matches. A text without a word matches nothing."""
    text = text.strip()
    if not text:
        return []
    wanted, looked_at = text.lower(), _look(source, text).c
    name = func.lower(looked_at.name)
    begins = name.startswith(wanted, autoescape=True)
    rank = case((name == wanted, 0), (begins, 1), else_=2).label("rank")
    best = select(looked_at.id, rank, looked_at.place).limit(MOST_FOUND)
    if source.is_by_time:
        best = best.where(_holds(looked_at.name, text))
    best = best.order_by(rank, *_order(source, looked_at.place, looked_at.id))
    return _read(source, best.subquery("best"))


def find_by_ids(source: Source, ids: Collection[int]) -> list[Found]:
    """Those that are there still, and that whoever asks may see; in no order."""
    rows = source.describe().where(source.key.in_(ids))
    return [Found(*row) for row in db.session.execute(rows)]


def _look(source: Source, text: str) -> Subquery:
    """What is to be put in order: its id, name and place."""
    columns: tuple[Any, ...] = (
        source.key.label("id"),
        source.name.label("name"),
        source.place.label("place"),
    )
    rows = select(*columns).where(*source.within())
    if source.is_by_time:
        return rows.order_by(source.place.desc()).limit(NEWEST).subquery("looked_at")
    matches = _holds(source.name, text, source.plain)
    if source.known_by is None:
        return rows.where(matches).subquery("looked_at")
    known = rows.where(source.known_by == text.upper(), not_(matches))
    return union_all(rows.where(matches), known).subquery("looked_at")


def _read(source: Source, best: Subquery) -> list[Found]:
    order = _order(source, best.c.place, best.c.id)
    rows = source.describe().join(best, best.c.id == source.key).order_by(best.c.rank, *order)
    return [Found(*row) for row in db.session.execute(rows)]


def _order(source: Source, *columns: SQLColumnExpression[Any]) -> list[Any]:
    return [column.desc() if source.is_by_time else column for column in columns]


def _holds(
    column: SQLColumnExpression[Any], text: str, plain: InstrumentedAttribute[str] | None = None
) -> ColumnElement[bool]:
    """Every word of the text, in one of them."""
    words = split_words(text)
    if plain is None:
        return and_(*(any_contains((column,), word) for word in words))
    return and_(*(holds_word(column, plain, word) for word in words))
