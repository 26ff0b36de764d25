"""What a revert took back: the sync leaves it alone while Tactical says what it said then. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LISTED = "missing_since"
"""Among what is held: whether Tactical lists the agent no more."""
OF_AN_AGENT = ("client_id", "rmm_organization_id", "name", "serial_number")
"""By these an agent whose asset was removed is still the same."""


def spare_held(
    held: Mapping[str, Any], stored: Mapping[str, Any], wanted: Mapping[str, Any]
) -> tuple[dict[str, Any], frozenset[str]]:
    """The columns of a listed agent as they shall be, and those that are held no more: Tactical's
    value is another one. A column that is not `wanted` stays held."""
    found = dict(wanted)
    released = {LISTED} if held.get(LISTED) is True else set()
    for column in held.keys() & wanted.keys():
        if wanted[column] == held[column]:
            found[column] = stored[column]
        else:
            released.add(column)
    return found, frozenset(released)
