"""Values from Tactical, made fit to keep: what cannot be used is empty, never an error."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

LONGEST_TEXT = 2000

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
        "Error getting graphics cards",
        "Graphics info requires agent v1.4.14",
        "unknown disk",
    }
)
"""What Tactical writes where it knows nothing."""


def clean_text(value: Any) -> str:
    """Text without characters that no database keeps; anything that is no text is empty."""
    if not isinstance(value, str):
        return ""
    if not value.isprintable():
        # NUL, other control characters and lone surrogates; blanks stay blanks.
        kept = (c if c.isprintable() else " " if c.isspace() else "" for c in value)
        return "".join(kept).strip()[:LONGEST_TEXT].rstrip()
    return str(value).strip()[:LONGEST_TEXT].rstrip()


def clean_fact(value: Any) -> str:
    """`clean_text`, with Tactical's words for "unknown" as empty."""
    text = clean_text(value)
    return "" if text in NOTHING else text


def clean_facts(value: Any) -> tuple[str, ...]:
    """The usable texts of a list."""
    if not isinstance(value, list):
        return ()
    return tuple(text for item in value if (text := clean_fact(item)))


def clean_count(value: Any) -> int | None:
    """A whole number that every database keeps, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 <= value < 2**31:
        return None
    return int(value)


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


def parse_epoch(value: Any) -> datetime | None:
    """Seconds since 1970 as Tactical's `boot_time` has them."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
