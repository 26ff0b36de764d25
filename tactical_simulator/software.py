"""The installed software of an agent, 35 KB of it, in the two shapes met on a live server."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from tactical_simulator.answers import Row
from tactical_simulator.fleet.dice import Dice
from tactical_simulator.fleet.records import Entries, Entry
from tactical_simulator.fleet.titles import TITLES
from tactical_simulator.state import State

VARIANTS = 5
"""Versions of a title that are around in a fleet."""


def has_reported(state: State, pk: int) -> bool:
    """Only Windows agents report software, and not all did."""
    if pk in state.software_edits:
        return state.software_edits[pk] is not None
    if Dice(state.spec.seed, "reports software", pk).below(100) < 2:
        return False
    return not state.agents.get(pk).is_posix


def software_row(state: State, pk: int) -> Row:
    """`{"id", "software", "agent"}` of an agent that has reported."""
    edited = state.software_edits.get(pk)
    pieces = [msgspec.json.encode(entry) for entry in edited] if edited else None
    if pieces is None:
        pieces = [] if pk in state.software_edits else _pieces(state.spec.seed, pk, state)
    row = [b'{"id":%d,"software":[' % pk]
    for number, piece in enumerate(pieces):
        row.append(b"," + piece if number else piece)
    return [*row, b'],"agent":%d}' % pk]


def entries_of(state: State, pk: int) -> Entries | None:
    """None of an agent that never reported."""
    if not has_reported(state, pk):
        return None
    row: dict[str, Any] = msgspec.json.decode(b"".join(software_row(state, pk)))
    entries: Entries = row["software"]
    return entries


def set_entries(state: State, pk: int, entries: Iterable[Entry] | None) -> None:
    state.software_edits[pk] = None if entries is None else list(entries)


def _pieces(seed: int, pk: int, state: State) -> list[bytes]:
    """Encoded entries, shared by all agents; some agents list what they have twice."""
    dice = Dice(seed, "software", pk)
    mean = state.spec.titles
    count = max(1, mean // 2 + dice.below(mean + 1))
    start, step = dice.below(len(TITLES)), 1 + dice.below(3)
    pieces = []
    for number in range(count):
        title = (start + number * step) % len(TITLES)
        round_number = number * step // len(TITLES)
        variant = (dice.below(VARIANTS) + round_number) % VARIANTS
        pieces.append(_entry_json(title, variant))
    if dice.chance(40):
        pieces += pieces[: min(21, count // 5)]
    return pieces


@cache
def _entry_json(title: int, variant: int) -> bytes:
    return msgspec.json.encode(_entry(title, variant))


def _entry(title: int, variant: int) -> Entry:
    dice = Dice("title", title, variant)
    name, publisher = TITLES[title]
    version = f"{1 + title % 23}.{variant * 3}.{dice.below(5000)}"
    if dice.chance(4):
        version = "Not Found"
    if Dice("shape", title).chance(15):
        return {"name": name, "version": version}
    date = f"20{15 + dice.below(11)}-{1 + dice.below(12):02d}-{1 + dice.below(28):02d}"
    known = dice.chance(80)
    folder = f"C:\\Program Files\\{name}\\"
    return {
        "name": name,
        "version": version,
        "publisher": publisher if dice.chance(90) else "",
        "install_date": f"{date if known else '0001-01-01'} 00:00:00 +0000 UTC",
        "size": f"{1 + dice.below(900)}.{dice.below(10)} MB" if dice.chance(70) else "0 B",
        "source": f"C:\\ProgramData\\Package Cache\\{name}\\" if dice.chance(50) else "",
        "location": folder if dice.chance(60) else "",
        "uninstall": f'"{folder}unins000.exe" /SILENT /NORESTART' if dice.chance(85) else "",
    }
