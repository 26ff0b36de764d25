"""How the server writes its JSON: as Tactical does, or as something between might write it anew."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Spelling(StrEnum):
    COMPACT = "compact"
    """As Tactical 1.5.1 writes it."""
    BLANKS = "blanks"
    """One blank after each comma and colon."""
    REORDERED = "reordered"
    """The keys of every answer and row from last to first, a line for each."""


@dataclass(frozen=True, slots=True)
class ListShell:
    """What stands around the rows of a list, and between two of them."""

    opening: bytes
    between: bytes
    closing: bytes


_INDENT = {Spelling.BLANKS: 0, Spelling.REORDERED: 2}
_BETWEEN = {Spelling.COMPACT: b",", Spelling.BLANKS: b", ", Spelling.REORDERED: b",\n  "}


def spell(value: bytes, spelling: Spelling) -> bytes:
    """A compact JSON value, otherwise written."""
    if spelling is Spelling.COMPACT:
        return value
    if spelling is Spelling.REORDERED and value.startswith(b"{"):
        value = msgspec.json.encode(dict(reversed(_object.decode(value).items())))
    return msgspec.json.format(value, indent=_INDENT[spelling])


def spell_shell(prefix: bytes, suffix: bytes, spelling: Spelling) -> ListShell:
    """Of a list written compactly: a bare one, or that of a page."""
    if prefix and spelling is not Spelling.COMPACT:
        prefix, bracket, suffix = spell(prefix + suffix, spelling).partition(b"[]")
        prefix, suffix = prefix + bracket[:1], bracket[1:] + suffix
    return ListShell(prefix, _BETWEEN[spelling], suffix)
