"""Decisions as the rows of a plan: what a person sees, and what must still be so to be applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.models.runs.sync_plan import PlanAction
from portal.sync.devices.facts import VITALS
from portal.sync.devices.plan import Decision
from portal.sync.history import to_json
from portal.sync.runs.action import Action

_ACTIONS = {
    Action.CREATED: PlanAction.CREATE,
    Action.UPDATED: PlanAction.UPDATE,
    Action.MOVED: PlanAction.MOVE,
    Action.RELINKED: PlanAction.RELINK,
    Action.WAITING: PlanAction.WAITING,
    Action.SKIPPED: PlanAction.SKIPPED,
    Action.FAILED: PlanAction.FAILED,
}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """`changes` is `{column: [before, after]}` as JSON has them."""

    action: PlanAction
    agent_id: str
    name: str
    reason: str | None
    changes: Mapping[str, list[Any]]

    def is_same(self, other: PlanRow) -> bool:
        return self.action is other.action and self.changes == other.changes


def to_rows(decisions: Iterable[Decision]) -> Iterator[PlanRow]:
    """One for each record that would not stay as it is."""
    for decision in decisions:
        if (row := to_row(decision)) is not None:
            yield row


def to_row(decision: Decision) -> PlanRow | None:
    action = _find_action(decision)
    if action is None:
        return None
    return PlanRow(
        action, decision.external_id, decision.name, decision.reason, _list_changes(decision)
    )


def _find_action(decision: Decision) -> PlanAction | None:
    if decision.asks_person:
        return PlanAction.CONFLICT
    is_return = decision.returned and decision.action is not Action.RELINKED
    return PlanAction.RETURNED if is_return else _ACTIONS.get(decision.action)


def _list_changes(decision: Decision) -> dict[str, list[Any]]:
    if decision.action is Action.CREATED:
        facts = {**(decision.facts or {}), "client_id": decision.client_id}
        return {
            name: [None, to_json(value)]
            for name, value in facts.items()
            if value is not None and name not in VITALS
        }
    return {
        name: [to_json(before), to_json(after)]
        for name, (before, after) in (decision.changes or {}).items()
        if name not in VITALS
    }
