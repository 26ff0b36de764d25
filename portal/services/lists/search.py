"""Finding text in columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.client_guard import LIMITS
from portal.company_names import without_accents
from portal.db import db, is_among
from portal.models import Asset
from portal.scope import allowed_clients

MOST_NARROWED = 5000

Value = TypeVar("Value")


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """The column holds `text`; `%` and `_` are themselves."""
    return any_contains((column,), text)


def is_called(
    name: InstrumentedAttribute[Any], words: InstrumentedAttribute[str], text: str
) -> ColumnElement[bool]:
    """A company whose name holds every word of the text, whether or not its accents were typed;
    `words`: of the name, without accents."""
    return and_(true(), *(holds_word(name, words, word) for word in text.split()))


def holds_word(
    name: SQLColumnExpression[Any], words: InstrumentedAttribute[str], word: str
) -> ColumnElement[bool]:
    """One of these; columns as `is_called` takes them."""
    named, plain = any_contains((name,), word), without_accents(word)
    return named | contains(words, plain) if plain else named


def readable(*columns: InstrumentedAttribute[Any]) -> tuple[InstrumentedAttribute[Any], ...]:
    """Those of a model that whoever asks may read: a search of the others would tell what they
    hold."""
    if allowed_clients() is None:
        return columns
    return tuple(
        each for each in columns if each.key not in LIMITS.get(cast(type, each.class_)).hidden
    )


def split_words(search: str) -> list[str]:
    """The words that must be found, the longest first: it is in the fewest rows, and where it is
    not, the others need not be looked for."""
    return sorted(search.split(), key=len, reverse=True)


def any_contains(columns: Sequence[SQLColumnExpression[Any]], word: str) -> ColumnElement[bool]:
    """One of the columns holds the word, whatever its case (in SQLite, if it is ASCII).

    PostgreSQL looks at them as at one text (a word has no blanks, so it is not found across two
    of them), and at ASCII without a language: together that takes half the time. A word without
    letters has no case, and to make that of a long text alike takes a third of what is left.
    """
    if db.engine.dialect.name == "sqlite":
        return or_(*(column.contains(word, autoescape=True) for column in columns))
    texts = [func.coalesce(column, "") for column in columns]
    whole: ColumnElement[str] = texts[0]
    for text in texts[1:]:
        whole = whole.concat(" ").concat(text)
    if word.isascii():
        whole = whole.collate("C")
        if word.lower() == word.upper():
            return whole.contains(word, autoescape=True)
    return whole.icontains(word, autoescape=True)


def folded_contains(column: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    """A column that holds text in small letters, as the database makes them, holds the word."""
    escaped = re.sub("([/%_])", r"/\1", word)
    whole = column if db.engine.dialect.name == "sqlite" else column.collate("C")
    return whole.like(func.lower(f"%{escaped}%"), escape="/")


def find_named(
    key: InstrumentedAttribute[Value], words: Sequence[str]
) -> dict[str, Sequence[Value] | Select[Value]]:
    """For each word the keys of the assets whose names hold it, or how to select them if many.

    Looked up beforehand: of a condition within a condition no database knows how few rows it
    holds for, and plans for half of them.
    """
    if not words:
        return {}
    holds = [contains(Asset.name, word) for word in words]
    rows = db.session.execute(
        select(key, Asset.name).where(or_(*holds)).limit(MOST_NARROWED + 1)
    ).all()
    if len(rows) > MOST_NARROWED:
        return {word: select(key).where(contains(Asset.name, word)) for word in words}
    return {
        word: [row[0] for row in rows if word.casefold() in row[1].casefold()] for word in words
    }


def narrow(
    key: InstrumentedAttribute[int],
    conditions: list[ColumnElement[bool]],
    search: str,
    in_order: bool = False,
) -> list[ColumnElement[bool]]:
    """The ids of what a search finds, if they are few: a text is looked for in every row, and
    once is enough for the page and its counts. Many are soon found anyway.

    `in_order` is for tables with an index of tenant and id: SQLite could take another one, which
    leads it to and fro through the table. Without such an index all would have to be found.
    """
    if not search.strip():
        return conditions
    found = select(key).where(*conditions).limit(MOST_NARROWED + 1)
    ids = db.session.scalars(found.order_by(key) if in_order else found).all()
    return conditions if len(ids) > MOST_NARROWED else [is_among(key, ids)]
