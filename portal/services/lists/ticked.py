"""Rows of a list that somebody ticked."""

from __future__ import annotations

from collections.abc import Iterable

from portal.errors import InvalidInput


def check_ticked(ids: Iterable[int], noun: str, most: int, many: str | None = None) -> list[int]:
    """Each once. `noun`: what they are; `many`: its plural, without an s behind it. Raises
    InvalidInput for none, and for too many."""
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise InvalidInput(f"Select at least one {noun}.")
    if len(chosen) > most:
        raise InvalidInput(f"Select at most {most:,} {many or noun + 's'} at once.")
    return chosen
