"""Finding text in columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute


def contains(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """The column holds `text`, whatever the case; `%` and `_` are themselves."""
    return column.icontains(text, autoescape=True)
