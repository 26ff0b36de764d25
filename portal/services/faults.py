"""Every fault of a form at once, so that nobody mends one only to be told of the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from portal.errors import InvalidInput


class Faults:
    """What was found wrong so far."""

    def __init__(self) -> None:
        self._found: list[InvalidInput] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """An InvalidInput raised inside waits for the others."""
        try:
            yield
        except InvalidInput as fault:
            self._found.append(fault)

    def raise_any(self) -> None:
        """Raises the first as InvalidInput, with the others."""
        if self._found:
            first, *others = self._found
            raise InvalidInput(first.message, first.field, others)
