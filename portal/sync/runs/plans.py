"""Storing what a device sync would do, and reading back what a person chose of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import count_changed, insert
from portal.models import SyncPlan, SyncPlanRow
from portal.models.runs.sync_plan import PlanAction, PlanOrigin, PlanStatus
from portal.scope import get_tenant_id
from portal.sync.devices.plan_rows import PlanRow

KEPT_FOR = timedelta(days=1)
OF_THE_END = (
    PlanAction.RELINK,
    PlanAction.WAITING,
    PlanAction.CONFLICT,
    PlanAction.MISSING,
)
"""What is decided when all pages are read: an agent may have such a row beside one of its page."""
RowKey = tuple[str, bool]
"""The agent_id of a row, and whether it is one of the end."""
IDS_AT_ONCE = 1000


def add_plan(session: Session, integration_id: int, run_id: int, origin: PlanOrigin) -> SyncPlan:
    """An empty one, which nobody sees before it is opened."""
    plan = SyncPlan(
        integration_id=integration_id,
        run_id=run_id,
        origin=origin,
        expires_at=utc_now() + KEPT_FOR,
    )
    session.add(plan)
    session.flush()
    return plan


def add_rows(session: Session, plan_id: int, rows: Iterable[PlanRow]) -> None:
    """In one statement."""
    same = {"tenant_id": get_tenant_id(), "plan_id": plan_id, "chosen": False}
    values = [
        {
            **same,
            "action": row.action,
            "agent_id": row.agent_id,
            "name": row.name,
            "reason": row.reason,
            "changes": dict(row.changes),
        }
        for row in rows
    ]
    if values:
        session.execute(insert(SyncPlanRow), values)


def open_plan(session: Session, plan_id: int, reason: str | None = None) -> None:
    """It is whole: a person may decide. Older ones of the connection are replaced by it."""
    plan = session.get_one(SyncPlan, plan_id)
    others = (SyncPlan.integration_id == plan.integration_id, SyncPlan.status == PlanStatus.OPEN)
    count_changed(session, update(SyncPlan).where(*others).values(status=PlanStatus.REPLACED))
    plan.status, plan.reason, plan.made_at = PlanStatus.OPEN, reason, utc_now()
    plan.expires_at = plan.made_at + KEPT_FOR
    session.flush()


def load_chosen(session: Session, plan_id: int) -> dict[RowKey, PlanRow]:
    """What a person wants applied and is not yet."""
    rows = session.scalars(
        select(SyncPlanRow).where(
            SyncPlanRow.plan_id == plan_id,
            SyncPlanRow.chosen.is_(True),
            SyncPlanRow.outcome.is_(None),
        )
    )
    return {
        (row.agent_id, row.action in OF_THE_END): PlanRow(
            row.action, row.agent_id, row.name, row.reason, row.changes
        )
        for row in rows
    }


def note_outcomes(session: Session, plan_id: int, outcomes: Mapping[RowKey, str]) -> None:
    """What became of chosen rows."""
    for outcome, at_end in sorted({(text, key[1]) for key, text in outcomes.items()}):
        agent_ids = [
            key[0] for key, text in outcomes.items() if (text, key[1]) == (outcome, at_end)
        ]
        its_action = SyncPlanRow.action.in_(OF_THE_END)
        for some in chunked(agent_ids, IDS_AT_ONCE):
            its_rows = (
                SyncPlanRow.plan_id == plan_id,
                SyncPlanRow.agent_id.in_(some),
                its_action if at_end else ~its_action,
            )
            count_changed(session, update(SyncPlanRow).where(*its_rows).values(outcome=outcome))
