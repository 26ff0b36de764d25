"""Every fault of a form at once, so that nobody mends one only to be told of the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from portal.errors import InvalidInput

Value = TypeVar("Value")


class Faults:
    """What was found wrong so far. Of each field the first one: what cannot be read would seem to
    be missing as well."""

    def __init__(self) -> None:
        self._found: list[InvalidInput] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """An InvalidInput raised inside waits for the others."""
        try:
            yield
        except InvalidInput as fault:
            self._add(fault)

    def attempt(self, read: Callable[[], Value], otherwise: Value) -> Value:
        """What it returns; `otherwise`, where it raises an InvalidInput, which waits."""
        try:
            return read()
        except InvalidInput as fault:
            self._add(fault)
            return otherwise

    def note(self, message: str, field: str) -> None:
        self._add(InvalidInput(message, field))

    def raise_any(self) -> None:
        """Raises the first as InvalidInput, with the others."""
        if self._found:
            first, *others = self._found
            raise InvalidInput(first.message, first.field, others)

    def _add(self, fault: InvalidInput) -> None:
        for each in (fault, *fault.others):
            if each.field is None or each.field not in {found.field for found in self._found}:
                self._found.append(InvalidInput(each.message, each.field))
