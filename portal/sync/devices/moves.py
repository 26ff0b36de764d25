"""Moves wait for the end of the walk: only then is known how many there are.

What else is known of such an agent is written with its page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from portal.sync.devices.facts import PLACE
from portal.sync.devices.plan import Decision, KnownAsset, KnownOrganization, plan_place, weigh
from portal.sync.runs.action import Action

_OF_A_MOVE = frozenset({*PLACE, "client_id"})


@dataclass(frozen=True, slots=True)
class Move:
    """Where an agent was seen that has an asset elsewhere."""

    agent_id: str
    name: str
    place: Mapping[str, Any]
    seen_at: datetime
    from_client: int
    """Of the asset, when the agent was seen."""


def part_moves(
    decisions: Iterable[Decision], seen_at: datetime
) -> tuple[list[Decision], list[Move]]:
    """What is written now, and the moves that wait."""
    now, moves = [], []
    for decision in decisions:
        if decision.action is not Action.MOVED or decision.known is None:
            now.append(decision)
            continue
        facts = decision.facts or {}
        place = {name: facts[name] for name in PLACE}
        client_id = decision.known.client_id
        moves.append(Move(decision.external_id, decision.name, place, seen_at, client_id))
        now.append(_without_move(decision, decision.known))
    return now, moves


def plan_moves(
    moves: Iterable[Move],
    known: Mapping[str, KnownAsset],
    organizations: Mapping[str, KnownOrganization],
) -> list[Decision]:
    """The decisions by what is stored now; none where newer news came meanwhile."""
    decisions = []
    for move in moves:
        asset = known.get(move.agent_id)
        if asset is None or asset.synced_at > move.seen_at:
            continue
        decision = plan_place(move.agent_id, move.name, move.place, asset, organizations)
        if decision.changes:
            decisions.append(decision)
    return decisions


def _without_move(decision: Decision, known: KnownAsset) -> Decision:
    facts = {k: v for k, v in (decision.facts or {}).items() if k not in PLACE}
    changes = {k: v for k, v in (decision.changes or {}).items() if k not in _OF_A_MOVE}
    return replace(
        decision,
        action=weigh(changes.keys()),
        client_id=known.client_id,
        facts=facts | {name: known.facts[name] for name in PLACE},
        changes=changes,
    )
