"""Rows as JSON, and back: what was removed can be made anew as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, inspect

from portal.db import Base, UtcDateTime
from portal.sync.history import to_json


def row_to_json(row: Base) -> dict[str, Any]:
    """All columns of a row, by attribute."""
    return {name: to_json(getattr(row, name)) for name in _columns(type(row))}


def row_from_json(table: type[Base], values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that `row_to_json` kept, as attributes take them. What the table has not, or
    not any more, is left out."""
    known = _columns(table)
    return {name: value_from_json(table, name, values[name]) for name in values if name in known}


def value_from_json(table: type[Base], name: str, value: Any) -> Any:
    """One column's value, as `to_json` made it JSON."""
    if not isinstance(value, str):
        return value
    kind = _columns(table)[name].columns[0].type
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _columns(table: type[Base]) -> dict[str, Any]:
    """But for what the database makes of others."""
    attributes = dict(inspect(table).column_attrs)
    return {name: each for name, each in attributes.items() if not each.columns[0].computed}
