"""The installed software of the whole fleet, one agent's list in memory at a time.

`software/` is one array of 35 KB an agent, with no page to ask for. Its rows are told apart by
the bytes between two of them and decoded one by one; an answer that is not written as Tactical
writes it is left to ijson, which needs several times as long to build the rows.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import ijson
import msgspec

from portal.tactical.decoding import BOM, UNDECODABLE, find_row
from portal.tactical.errors import UnexpectedAnswer
from portal.tactical.records import BadRecord
from portal.tactical.request import MIB, WHOLE_FLEET
from portal.tactical.session import TacticalSession
from portal.tactical.shapes import any_decoder
from portal.tactical.software_entries import (
    EntryText,
    SoftwareEntry,
    find_entry_text,
    read_entries,
)
from portal.tactical.text import clean_count

LARGEST_ROW = 32 * MIB

_OPENING = re.compile(rb'\s*\[\s*(\{"[^"\\]{1,40}":)\S')
"""How the array and its first row begin; the other rows begin alike."""
_ENOUGH = 64
_UNREADABLE = "The row cannot be read."
_BAD = BadRecord(_UNREADABLE, "")
_NO_ENTRY = "An entry is not a program with a name."


@dataclass(frozen=True, slots=True)
class AgentSoftware:
    """The list of one agent, each version of a title once."""

    pk: int
    entries: list[SoftwareEntry]
    bad: tuple[str, ...] = ()
    """Why entries could not be used."""
    nameless: int = 0
    """Entries whose name is blank, which say nothing."""
    whole: bool = True
    """False when an entry could not be read, which may have been any title."""


class _Row(msgspec.Struct, gc=False):
    """A row as it nearly always is; any other is looked at value by value."""

    agent: int
    software: list[EntryText]


_row_decoder = msgspec.json.Decoder(_Row)

_Decoded = _Row | BadRecord | Any


def stream_software(session: TacticalSession) -> Generator[AgentSoftware | BadRecord]:
    """The list of every agent that ever reported one, in no order.

    Raises TacticalError and EgressError, after all that came whole before: the answer is
    complete only where this ends without one. Close it to leave early.
    """
    with session.stream("/software/", limits=WHOLE_FLEET) as chunks:
        for row in _rows(chunks):
            yield _read_row(row)


# --- Rows out of bytes ------------------------------------------------------------------


def _rows(chunks: Iterator[bytes]) -> Iterator[_Decoded]:
    """The elements of the array; one that cannot be decoded is a BadRecord."""
    text = b""
    while len(text) < _ENOUGH and (chunk := next(chunks, b"")):
        text += chunk
    text = text.removeprefix(BOM)
    if not text.lstrip().startswith(b"["):
        raise UnexpectedAnswer("It sent no list of software where there should be one.")
    opening = _OPENING.match(text)
    if opening is None:
        yield from _build_rows(chain([text], chunks))
    else:
        yield from _split_rows(chain([text[opening.start(1) :]], chunks), opening[1])


def _split_rows(chunks: Iterator[bytes], opening: bytes) -> Iterator[_Decoded]:
    """Rows that follow each other as `},{"id":`, without a blank.

    Those bytes, with quotes that no backslash precedes, cannot stand within a text. They can
    stand within a row that nests such objects: then what is before them is no whole object.
    """
    between = b"}," + opening
    text, looked = b"", 0
    for chunk in chunks:
        text += chunk
        begin = 0
        while (end := text.find(between, looked)) >= 0:
            rows = _decode(text[begin : end + 1])
            looked = end + 1
            if rows is not None:
                yield from rows
                begin = looked = end + 2
        text = text[begin:]
        looked = max(looked - begin, len(text) - len(between) + 1, 0)
        if len(text) > LARGEST_ROW:
            yield from _build_rows(chain([b"[" + text], chunks))
            return
    yield from _decode_end(text)


def _decode_end(text: bytes) -> Iterator[_Decoded]:
    """What is left at the end, with the end of the array. Raises UnexpectedAnswer."""
    stripped = text.rstrip()
    rows = _decode(stripped[:-1].rstrip()) if stripped.endswith(b"]") else None
    if rows is None or _BAD in rows:
        yield from _build_rows(iter([b"[" + text]))
    else:
        yield from rows


def _decode(text: bytes) -> Sequence[_Decoded] | None:
    """The row, or a few with one that is no object among them; None for a beginning of one."""
    try:
        return (_row_decoder.decode(text),)
    except UNDECODABLE:
        pass
    try:
        return (any_decoder.decode(text),)
    except UNDECODABLE as error:
        if "truncated" in str(error):
            return None
    rows: list[Any] | None = find_row(any_decoder, b"[" + text + b"]")
    return (_BAD,) if rows is None else rows


def _build_rows(chunks: Iterator[bytes]) -> Iterator[Any]:
    """The elements of an array, however it is written."""
    try:
        # As Decimal and int: as floats, the largest numbers that Tactical sends overflow.
        yield from ijson.items(ijson.from_iter(chunks), "item")
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        raise UnexpectedAnswer("The list of software is no JSON, or was cut off.") from error


# --- Records out of rows ----------------------------------------------------------------


def _read_row(row: _Decoded) -> AgentSoftware | BadRecord:
    if isinstance(row, BadRecord):
        return row
    if not isinstance(row, _Row):
        return _read_odd_row(row)
    entries, nameless = read_entries(row.software)
    if row.agent < 1:
        return BadRecord("The row names no agent.", str(row.agent))
    return AgentSoftware(row.agent, entries, nameless=nameless)


def _read_odd_row(row: Any) -> AgentSoftware | BadRecord:
    """A row, one of whose values is not what it should be."""
    if not isinstance(row, dict):
        return BadRecord(_UNREADABLE, str(row)[:100])
    pk, values = clean_count(row.get("agent")), row.get("software")
    if not pk:
        return BadRecord("The row names no agent.", str(row.get("id"))[:100])
    if not isinstance(values, list):
        return BadRecord("The row holds no list.", f"agent {pk}")
    texts = [find_entry_text(value) for value in values]
    entries, nameless = read_entries(text for text in texts if text is not None)
    lost = texts.count(None)
    return AgentSoftware(pk, entries, (_NO_ENTRY,) * lost, nameless, whole=not lost)
