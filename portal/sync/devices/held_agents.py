"""Agents from which a revert took their asset: they are given none again while Tactical says the
same of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import is_among
from portal.models import AssetConflict
from portal.sync.devices.held_conflicts import is_open
from portal.sync.devices.plan import Decision
from portal.sync.runs.action import Action

HELD_BACK = "A run that gave it an asset was undone. Tactical has not changed it since."
GIVES_ASSET = (Action.CREATED, Action.RELINKED)


def spare_removed(
    session: Session, integration_id: int, decisions: Sequence[Decision]
) -> list[Decision]:
    """The decisions, without what would give agents their assets again that a revert took from
    them. Where no asset is given it asks for nothing."""
    given = [each.external_id for each in decisions if each.action in GIVES_ASSET]
    if not given:
        return list(decisions)
    return hold_back(decisions, _load_held_agents(session, integration_id, given))


def _load_held_agents(
    session: Session, integration_id: int, agent_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What agents were whose assets a revert removed, by agent_id: of those that it holds back."""
    rows = session.execute(
        select(AssetConflict.agent_id, AssetConflict.evidence).where(
            AssetConflict.integration_id == integration_id,
            is_among(AssetConflict.agent_id, agent_ids),
            AssetConflict.asset_id.is_(None),
            is_open(),
        )
    )
    return {row.agent_id: row.evidence["held"] for row in rows}


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
