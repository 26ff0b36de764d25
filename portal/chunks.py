"""Splits long lists into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Value = TypeVar("Value")


def chunked(values: Sequence[Value], size: int) -> Iterator[Sequence[Value]]:
    """The values in their order, at most `size` in each part: a statement takes only so many."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
