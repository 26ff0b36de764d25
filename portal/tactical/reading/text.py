"""Values from Tactical, made fit to keep: what cannot be used is empty, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from numbers import Number
from typing import Any

LONGEST_TEXT = 2000
EARLIEST_YEAR, LATEST_YEAR = 1970, 9000
"""Of a time that is kept."""

NOTHING = frozenset(
    {
        "",
        "-",
        "None",
        "n/a",
        "unknown make/model",
        "error getting make/model",
        "unknown cpu model",
        "error getting local ips",
        "No graphics cards",
        "Graphics info requires agent v1.4.14",
        "Error getting graphics cards",
        "unknown disk",
    }
)
"""What Tactical writes where it knows nothing."""

_UNKEPT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: no database keeps all of them."""
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")

_ON_ONE_LINE = str.maketrans("\t\n", "  ")


def clean_prose(value: Any) -> str:
    """Text that may have lines, which end with `\\n`; anything that is no text is empty."""
    if not isinstance(value, str):
        return ""
    if value.isprintable():  # nearly all: neither lines nor anything that is not kept
        return value.strip()[:LONGEST_TEXT].rstrip()
    return _LINE_ENDS.sub("\n", _UNKEPT.sub("", value)).strip()[:LONGEST_TEXT].rstrip()


def clean_text(value: Any) -> str:
    """Text on one line."""
    text = clean_prose(value)
    return text if text.isprintable() else text.translate(_ON_ONE_LINE)


def write_number(value: Any) -> Any:
    """A number as text; anything else as it is.

    Tactical passes on what an agent reports of its computer, whose numbers may be such.
    """
    if isinstance(value, str | bool):  # nearly all, and quicker to ask than for a Number
        return value
    return str(value) if isinstance(value, Number) else value


def clean_fact(value: Any) -> str:
    """`clean_text` of a text or a number, with Tactical's words for "unknown" as empty."""
    text = clean_text(write_number(value))
    return "" if text in NOTHING else text


def clean_facts(value: Any) -> tuple[str, ...]:
    """The usable texts of a list."""
    if not isinstance(value, list):
        return ()
    return tuple(text for item in value if (text := clean_fact(item)))


def join_facts(value: Any) -> str:
    """A fact that is one text, or a list of them."""
    return ", ".join(clean_facts(value)) or clean_fact(value)


def clean_count(value: Any) -> int | None:
    """A whole number that every database keeps, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**31 and value == int(value) else None


def clean_flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def parse_time(value: Any) -> datetime | None:
    """ISO 8601 with `Z` or an offset, `T` or a blank; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_near_time(value: Any) -> datetime | None:
    """As `parse_time`, but None for a year at the ends of the calendar, such as Go's zero time:
    nobody could add to it or take from it."""
    found = parse_time(value)
    is_near = found is not None and EARLIEST_YEAR <= found.year <= LATEST_YEAR
    return found if is_near else None


def parse_epoch(value: Any) -> datetime | None:
    """Seconds since 1970 as Tactical's `boot_time` has them."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def write_wait(seconds: float) -> str:
    """`5 minutes`, `2 hours`."""
    number, unit = max(1, round(seconds / 60)), "minute"
    if number >= 90:
        number, unit = round(seconds / 3600), "hour"
    return f"{number} {unit}{'' if number == 1 else 's'}"
