"""How Tactical fills `{{placeholders}}` of a URL action, with all its faults.

Written from the behaviour of 1.5.1: values are put in as text, nothing is escaped, a placeholder
that leads nowhere yields the object that it leads from, and anything falsy is `None`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

_PLACEHOLDER = re.compile(r"\{\{\s*(client|site|agent|global|alert)\.([\w\s.-]+)\}\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LONE_BACKSLASH = re.compile(r"(?<!\\)\\(?![\\nrt])")

Kind = Literal["client", "site", "agent", "alert", "result", "check", "task", "template"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A record as templates see it: members by name, methods, and how it prints itself."""

    kind: Kind
    text: str
    members: dict[str, Any] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.text


def render(text: str, thing: Thing | None, find_global: Callable[[str], str | None]) -> str:
    """With nothing to look at, not even the key store is asked."""
    if thing is None:
        return text
    rendered = text
    for match in _PLACEHOLDER.finditer(text):
        path = f"{match[1]}.{match[2]}".strip()
        rendered = rendered.replace(match[0], str(_value(path, thing, find_global)))
    return rendered


def _value(path: str, thing: Thing, find_global: Callable[[str], str | None]) -> Any:
    names = path.split(".")
    if names[0] == "global" and len(names) == 2:
        return find_global(names[1])
    if names[0] == thing.kind:
        del names[0]
    return _walk(thing, names)


def _walk(thing: Thing, names: list[str]) -> Any:
    value: Any = thing
    for name in names:
        if isinstance(value, Thing):
            if name in value.methods:
                return None
            value = value.members.get(name, value) if name in value.members else value
        if not isinstance(value, Thing) and not value:
            return None
    return value


def sanitize(text: str) -> str:
    """Control characters to blanks (but tab and line ends), a lone backslash doubled."""
    return _LONE_BACKSLASH.sub(r"\\\\", _CONTROL.sub(" ", text))
