"""The installed software of the whole fleet, one agent's list in memory at a time.

`software/` is one array of 35 KB an agent, with no page to ask for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from portal.tactical.http.request import WHOLE_FLEET
from portal.tactical.http.session import TacticalSession
from portal.tactical.reading.decoding import find_row
from portal.tactical.reading.row_stream import RowStream
from portal.tactical.reading.shapes import any_decoder
from portal.tactical.reading.software_entries import (
    EntryText,
    SoftwareEntry,
    find_entry_text,
    read_entries,
)
from portal.tactical.reading.text import clean_count
from portal.tactical.records import BadRecord

_UNREADABLE = "The entry cannot be read."
_NO_ENTRY = "The list contains an item that is not a program with a name."


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


class TacticalSoftware:
    """The endpoint of the installed software."""

    def __init__(self, session: TacticalSession) -> None:
        self._session = session

    def stream(self) -> Generator[AgentSoftware | BadRecord]:
        """The list of every agent that ever reported one, in no order.

        Raises TacticalError and EgressError, after all that came whole before: the answer is
        complete only where this ends without one. Close it to leave early.
        """
        with self._session.stream("/software/", limits=WHOLE_FLEET) as chunks:
            yield from read_rows(chunks)


def read_rows(chunks: Iterable[bytes]) -> Iterator[AgentSoftware | BadRecord]:
    """What the array says of each agent. Raises UnexpectedAnswer, after what came whole before."""
    return map(_read_row, RowStream(_row_decoder, is_page=False).split(chunks))


def _read_row(row: _Row | msgspec.Raw | bytes) -> AgentSoftware | BadRecord:
    if not isinstance(row, _Row):
        return _read_odd_row(find_row(any_decoder, row))
    entries, nameless = read_entries(row.software)
    if row.agent < 1:
        return BadRecord("The entry does not name an agent.", str(row.agent))
    return AgentSoftware(row.agent, entries, nameless=nameless)


def _read_odd_row(row: Any) -> AgentSoftware | BadRecord:
    """A row, one of whose values is not what it should be."""
    if not isinstance(row, dict):
        return BadRecord(_UNREADABLE, str(row)[:100])
    pk, values = clean_count(row.get("agent")), row.get("software")
    if not pk:
        return BadRecord("The entry does not name an agent.", str(row.get("id"))[:100])
    if not isinstance(values, list):
        return BadRecord("The entry contains no list of software.", f"agent {pk}")
    texts = [find_entry_text(value) for value in values]
    entries, nameless = read_entries(text for text in texts if text is not None)
    lost = texts.count(None)
    return AgentSoftware(pk, entries, (_NO_ENTRY,) * lost, nameless, whole=not lost)
