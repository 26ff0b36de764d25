"""Values as JSON and files have them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from portal.clock import iso_utc

_PLAIN = {str, int, float, bool, list, dict, type(None)}


def plain(value: Any) -> Any:
    """As JSON has it."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value
