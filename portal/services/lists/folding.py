"""Texts in an order that Python and both databases have alike: by code points, without the case of
ASCII letters. So rows of the database and others can be put in one list."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

from sqlalchemy import ColumnElement, SQLColumnExpression, func

from portal.db import db

_TO_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def fold(text: str | None) -> str:
    return (text or "").translate(_TO_LOWER)


def folded(column: SQLColumnExpression[str | None]) -> ColumnElement[str]:
    """`fold` in SQL. SQLite has no other way; PostgreSQL has the language of the database."""
    text = func.coalesce(column, "")
    return func.lower(text if db.engine.dialect.name == "sqlite" else text.collate("C"))
