"""The entries of an agent's list of software, cleaned: each version of a title once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from portal.tactical.reading.text import clean_text, write_number

LONGEST_NAME = 300
LONGEST_PUBLISHER = 200
LONGEST_VERSION = 200
"""An index entry of PostgreSQL holds 2,700 bytes, and a character may take four."""
REMEMBERED = 1 << 15
"""A fleet has some thousand titles and versions, each on many agents."""

_NOTHING = frozenset({"", "not found", "0 b"})
"""What Tactical writes where it knows nothing, whatever the case."""


class Title(msgspec.Struct, frozen=True, gc=False):
    """What versions are of, in one spelling; known by what is the same in all of them."""

    name: str
    normalized_name: str
    """Without differences of case, width and blanks."""
    publisher: str
    normalized_publisher: str

    @property
    def key(self) -> tuple[str, str]:
        return self.normalized_name, self.normalized_publisher


class SoftwareEntry(msgspec.Struct, frozen=True, gc=False):
    """One version of a title on one agent; unknown is empty, an unknown date None."""

    title: Title
    version: str
    installed_on: date | None


class EntryText(msgspec.Struct, gc=False):
    """The members of an entry that are looked at. Half of the entries have the first two."""

    name: str
    version: str = ""
    publisher: str = ""
    install_date: str = ""


def read_entries(texts: Iterable[EntryText]) -> tuple[list[SoftwareEntry], int]:
    """The entries, equal name and version taken together, and how many had no name."""
    found: dict[tuple[str, str], SoftwareEntry] = {}
    nameless = 0
    for text in texts:
        title = clean_title(text.name, text.publisher)
        if title is None:
            nameless += 1
            continue
        version = clean_version(text.version)
        entry = SoftwareEntry(title, version, parse_installed_on(text.install_date))
        key = (title.normalized_name, version)
        same = found.setdefault(key, entry)
        if same is not entry:
            found[key] = _merged(same, entry)
    return list(found.values()), nameless


def find_entry_text(value: Any) -> EntryText | None:
    """An entry of any form; None when it names nothing that could be kept."""
    if not isinstance(value, dict) or not isinstance(write_number(value.get("name")), str):
        return None
    members = ("name", "version", "publisher", "install_date")
    return EntryText(*(_as_text(value.get(member)) for member in members))


@lru_cache(REMEMBERED)
def clean_title(name: str, publisher: str) -> Title | None:
    """None when the name says nothing."""
    shown = _clean(name, LONGEST_NAME)
    if not shown:
        return None
    by = _clean(publisher, LONGEST_PUBLISHER)
    return Title(shown, normalize_name(shown), by, normalize_name(by))


def normalize_name(name: str) -> str:
    """Two spellings of one name are equal after this."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())[:LONGEST_NAME].rstrip()


@lru_cache(REMEMBERED)
def clean_version(version: str) -> str:
    return _clean(version, LONGEST_VERSION)


@lru_cache(REMEMBERED)
def parse_installed_on(text: str) -> date | None:
    """The day of `2019-06-08 00:00:00 +0000 UTC`; the year 1 is none."""
    try:
        found = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return found if found.year > 1 else None


def _clean(text: str, longest: int) -> str:
    shown = " ".join(clean_text(text).split())[:longest].rstrip()
    return "" if shown.casefold() in _NOTHING else shown


def _merged(one: SoftwareEntry, other: SoftwareEntry) -> SoftwareEntry:
    """What is known wins over what is not; of two that are known, always the same one."""
    titles = [each.title for each in (one, other) if each.title.publisher] or [one.title]
    dates = [each.installed_on for each in (one, other) if each.installed_on]
    title = min(titles, key=lambda title: title.publisher)
    return SoftwareEntry(title, one.version, max(dates, default=None))


def _as_text(value: Any) -> str:
    text = write_number(value)
    return text if isinstance(text, str) else ""
