"""Numbers of things, lists of words and moments, as sentences say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def plural(number: int, noun: str, many: str | None = None) -> str:
    """`1 agent`, `2 agents`, `1,000 agents`; `many` is a plural without an s behind the noun."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def join_words(words: Sequence[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def say_moment(at: datetime) -> str:
    """`23 Nov 2026, 05:41 UTC`. Pages turn it into the reader's own time: `with_times` in
    `portal.web.template_helpers`."""
    there = at.astimezone(UTC)
    return f"{there.day} {there:%b %Y, %H:%M} UTC"
