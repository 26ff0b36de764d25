"""What a revert took back: the sync leaves it alone while Tactical says what it said then. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portal.sync.runs.action import Action

if TYPE_CHECKING:
    from portal.sync.devices.plan import Decision

LISTED = "missing_since"
"""Among what is held: whether Tactical lists the agent no more."""
OF_AN_AGENT = ("client_id", "rmm_organization_id", "name", "serial_number")
"""By these an agent whose asset was removed is still the same."""
HELD_BACK = "A run that gave it an asset was undone. Tactical has not changed it since."
GIVES_ASSET = (Action.CREATED, Action.RELINKED)


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


def hold_back(
    decisions: Iterable[Decision], held: Mapping[str, Mapping[str, Any]]
) -> list[Decision]:
    """The decisions, without those that give an agent an asset again that a revert took from it;
    `held` has what each was then, by agent_id. What this source does not carry is no difference."""
    found = []
    for decision in decisions:
        then = held.get(decision.external_id)
        if decision.action in GIVES_ASSET and then is not None:
            now = {**(decision.facts or {}), "client_id": decision.client_id}
            if all(now[name] == then[name] for name in then.keys() & now.keys()):
                decision = replace(
                    decision,
                    action=Action.SKIPPED,
                    reason=HELD_BACK,
                    client_id=None,
                    facts=None,
                    changes=None,
                    known=None,
                    identity=None,
                )
            else:
                decision = replace(decision, released=frozenset(then))
        found.append(decision)
    return found
