"""Questions of identity to a person: asked once for an agent and what it may be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import count_changed
from portal.models import AssetConflict, SupersededAgent
from portal.models.assets.conflict import REVERTED, Settlement
from portal.sync.devices.identity.computers import Kind, Verdict
from portal.sync.devices.plan import Decision


@dataclass(frozen=True, slots=True)
class Question:
    """`asset_id` is the agent's own, `other_asset_id` the one that may be its computer."""

    verdict: Verdict
    asset_id: int | None
    other_asset_id: int | None


def list_questions(decisions: Iterable[Decision], created: Mapping[str, int]) -> list[Question]:
    """What the decisions ask; `created` has the ids of new assets by agent_id."""
    verdicts = [each.identity for each in decisions if each.identity and each.identity.asks_person]
    return [
        Question(
            verdict,
            verdict.newcomer.asset_id or created.get(verdict.newcomer.agent_id),
            verdict.assets[0] if verdict.assets else None,
        )
        for verdict in verdicts
    ]


def open_conflicts(
    session: Session, integration_id: int, questions: Sequence[Question], run_id: int | None
) -> None:
    """Ask; what is asked already was found again."""
    if not questions:
        return
    agent_ids = [question.verdict.newcomer.agent_id for question in questions]
    open_ones = session.scalars(
        select(AssetConflict).where(
            AssetConflict.integration_id == integration_id,
            AssetConflict.agent_id.in_(agent_ids),
            AssetConflict.settled_at.is_(None),
            AssetConflict.kind != REVERTED,
        )
    )
    known = {(each.agent_id, each.other_asset_id): each for each in open_ones}
    for question in questions:
        verdict = question.verdict
        key = verdict.newcomer.agent_id, question.other_asset_id
        conflict = known.get(key)
        if conflict is None:
            conflict = AssetConflict(
                integration_id=integration_id, agent_id=key[0], other_asset_id=key[1]
            )
            session.add(conflict)
            conflict.run_id = run_id
        conflict.kind, conflict.reason = str(verdict.kind), verdict.reason
        conflict.evidence, conflict.asset_id = dict(verdict.evidence), question.asset_id
        conflict.seen_at = utc_now()
    session.flush()
    _note_revived(session, integration_id, [question.verdict for question in questions])


def settle_gone(session: Session, integration_id: int, agent_ids: Collection[str]) -> None:
    """These agents are not in Tactical any more, so that nothing is to be asked about them."""
    of_these = (
        AssetConflict.integration_id == integration_id,
        AssetConflict.agent_id.in_(agent_ids),
        AssetConflict.settled_at.is_(None),
        AssetConflict.kind != REVERTED,
    )
    settled = {"settled_at": utc_now(), "settled_as": Settlement.GONE}
    count_changed(session, update(AssetConflict).where(*of_these).values(**settled))


def _note_revived(session: Session, integration_id: int, verdicts: Iterable[Verdict]) -> None:
    """From now on these are agents like any others."""
    revived = [each.newcomer.agent_id for each in verdicts if each.kind is Kind.REVIVED]
    if not revived:
        return
    of_these = (
        SupersededAgent.integration_id == integration_id,
        SupersededAgent.agent_id.in_(revived),
    )
    count_changed(session, update(SupersededAgent).where(*of_these).values(revived_at=utc_now()))
