"""Rows as JSON, and back: what was removed can be made anew as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, inspect, select
from sqlalchemy.orm import Session

from portal.db import Base, UtcDateTime
from portal.models import User
from portal.sync.history import to_json


def row_to_json(row: Base) -> dict[str, Any]:
    """All columns of a row, by attribute."""
    return {name: to_json(getattr(row, name)) for name in _columns(type(row))}


def row_from_json(table: type[Base], values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that `row_to_json` kept, as attributes take them. What the table has not, or
    not any more, is left out."""
    known = _columns(table)
    return {name: value_from_json(table, name, values[name]) for name in values if name in known}


def forget_lost_users(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Of rows that are to be made anew: whoever was deleted since is nobody, as in rows that
    were there all the time."""
    columns = [name for name, each in _columns(table).items() if _names_user(each.columns[0])]
    named = {row[name] for row in rows for name in columns if row.get(name) is not None}
    if not named:
        return
    lost = named - set(session.scalars(select(User.id).where(User.id.in_(named))))
    for row in rows:
        row.update((name, None) for name in columns if row.get(name) in lost)


def value_from_json(table: type[Base], name: str, value: Any) -> Any:
    """One column's value, as `to_json` made it JSON."""
    if not isinstance(value, str):
        return value
    kind = _columns(table)[name].columns[0].type
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _names_user(column: Any) -> bool:
    return any(key.column.table is User.__table__ for key in column.foreign_keys)


def _columns(table: type[Base]) -> dict[str, Any]:
    """But for what the database makes of others."""
    attributes = dict(inspect(table).column_attrs)
    return {name: each for name, each in attributes.items() if not each.columns[0].computed}
