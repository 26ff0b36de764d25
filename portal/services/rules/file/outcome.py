"""What taking a file over comes to, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.services.audit.values import Values


@dataclass(frozen=True, slots=True)
class Line:
    """`kind`: rule, window, channel or helpdesk; `action`: added, changed, unchanged or left out;
    `notes`: what of it changes, or why it is left out."""

    kind: str
    name: str
    action: str
    notes: tuple[str, ...] = ()
    before: Values | None = field(default=None, compare=False)
    after: Values | None = field(default=None, compare=False)
    """For the audit trail: what changes of it; of what is added, what it is."""


@dataclass(frozen=True, slots=True)
class Import:
    """`digest` is that of the file, by which the same one is known again."""

    lines: list[Line]
    digest: str

    @property
    def changes(self) -> list[Line]:
        return [line for line in self.lines if line.action in ("added", "changed")]


def changed(kind: str, name: str, before: Values, after: Values) -> Line:
    """Or unchanged, where both are empty."""
    notes = tuple(name.replace("_", " ") for name in after)
    return Line(kind, name, "changed" if notes else "unchanged", notes, before, after)
