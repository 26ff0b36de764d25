"""Finding text in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import db

MOST_NARROWED = 5000


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """The column holds `text`, whatever the case; `%` and `_` are themselves."""
    return column.icontains(text, autoescape=True)


def any_contains(columns: Sequence[SQLColumnExpression[Any]], word: str) -> ColumnElement[bool]:
    """One of the columns holds the word. They are looked at as one text, which is quicker;
    a word has no blanks, so it is not found across two of them."""
    texts = [func.coalesce(column, "") for column in columns]
    whole: ColumnElement[str] = texts[0]
    for text in texts[1:]:
        whole = whole.concat(" ").concat(text)
    return whole.icontains(word, autoescape=True)


def narrow(
    key: InstrumentedAttribute[int], conditions: list[ColumnElement[bool]], search: str
) -> list[ColumnElement[bool]]:
    """The ids of what a search finds, if they are few: a text is looked for in every row, and
    once is enough for the page and its counts. Many are soon found anyway."""
    if not search.strip():
        return conditions
    ids = db.session.scalars(select(key).where(*conditions).limit(MOST_NARROWED + 1)).all()
    return conditions if len(ids) > MOST_NARROWED else [key.in_(ids)]
