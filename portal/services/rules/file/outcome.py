"""What taking a file over comes to, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """`kind`: rule, window, channel or helpdesk; `action`: added, changed, unchanged or left out;
    `notes`: what of it changes, or why it is left out."""

    kind: str
    name: str
    action: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """`digest` is that of the file, by which the same one is known again."""

    lines: list[Line]
    digest: str

    @property
    def changes(self) -> list[Line]:
        return [line for line in self.lines if line.action in ("added", "changed")]


def changed(kind: str, name: str, notes: Iterable[str]) -> Line:
    """Or unchanged, where there is nothing to note."""
    told = tuple(notes)
    return Line(kind, name, "changed" if told else "unchanged", told)
