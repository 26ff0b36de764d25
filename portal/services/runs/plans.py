"""Plans of device syncs: looked at, applied in whole or in part, or declined."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import func, or_, select, update

from portal.db import count_changed, db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import SyncPlan, SyncPlanRow, SyncRun
from portal.models.runs.sync_plan import APPLICABLE, PlanStatus
from portal.models.runs.sync_run import SyncKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.clients import list_client_names
from portal.services.integrations.preview_due import clear_preview_due, find_look
from portal.services.lists.paging import Page, paginate
from portal.services.lists.search import contains
from portal.services.runs.execution import work_to_end
from portal.services.runs.requests import enqueue_run, find_or_add_run

WHY_NOT = {
    PlanStatus.GROWING: "This plan is not ready yet.",
    PlanStatus.OPEN: "This plan has expired. Make a new preview.",
    PlanStatus.APPLIED: "This plan has already been applied. Make a new preview for the rest.",
    PlanStatus.DECLINED: "This plan was declined. Make a new preview.",
    PlanStatus.REPLACED: "There is a newer plan. Open that one.",
}
"""Why a plan in this state cannot be applied."""


def get_plan(plan_id: int) -> SyncPlan:
    plan = db.session.get(SyncPlan, plan_id)
    if plan is None or plan.status is PlanStatus.GROWING:
        raise NotFound("This plan does not exist.")
    return plan


def find_plan_of_run(run_id: int) -> SyncPlan | None:
    """The one that the run made."""
    return db.session.scalar(
        select(SyncPlan)
        .where(SyncPlan.run_id == run_id, SyncPlan.status != PlanStatus.GROWING)
        .order_by(SyncPlan.id.desc())
        .limit(1)
    )


def count_actions(plan_id: int) -> dict[str, int]:
    """How many rows there are of each action, without those that have none."""
    rows = db.session.execute(
        select(SyncPlanRow.action, func.count())
        .where(SyncPlanRow.plan_id == plan_id)
        .group_by(SyncPlanRow.action)
    )
    return {str(row[0]): row[1] for row in rows}


def list_rows(plan_id: int, action: str = "", search: str = "", page: int = 1) -> Page[SyncPlanRow]:
    conditions = [SyncPlanRow.plan_id == plan_id]
    if action:
        conditions.append(SyncPlanRow.action == action)
    if search.strip():
        columns = (SyncPlanRow.name, SyncPlanRow.agent_id, SyncPlanRow.reason)
        conditions.append(or_(*(contains(column, search.strip()) for column in columns)))
    return paginate(
        select(SyncPlanRow).where(*conditions).order_by(SyncPlanRow.id),
        select(func.count()).select_from(SyncPlanRow).where(*conditions),
        page,
        lambda row: row[0],
    )


def list_all_rows(plan_id: int) -> list[SyncPlanRow]:
    rows = select(SyncPlanRow).where(SyncPlanRow.plan_id == plan_id).order_by(SyncPlanRow.id)
    return list(db.session.scalars(rows))


def list_named_clients(rows: Iterable[SyncPlanRow]) -> dict[int, str]:
    """The names of the clients in the rows' changes, by id."""
    return list_client_names(value for row in rows for value in row.changes.get("client_id", ()))


def request_apply(
    plan_id: int, only: Collection[str] | None = None, user_id: int | None = None
) -> SyncRun:
    """Let a worker apply the plan, or only the rows of these agents. Raises NotFound, Refused when
    it cannot be applied (any more), and InvalidInput for an agent that it says nothing of."""
    run = _choose(plan_id, only, "button", user_id)
    enqueue_run(run)
    return run


def apply_to_end(plan_id: int, only: Collection[str] | None = None) -> SyncRun:
    """As `request_apply`, in this process. For commands."""
    run = _choose(plan_id, only, "command", None)
    return work_to_end(run.id)


def decline_plan(plan_id: int) -> SyncPlan:
    """A person wants none of it. Raises NotFound, and Refused when it is decided already."""
    with transaction() as session:
        plan = _get_undecided(plan_id)
        before = {"status": str(plan.status)}
        plan.status = PlanStatus.DECLINED
        clear_preview_due(session, plan.integration_id, find_look(session, plan_id))
        about = Target("plan", plan.id, plan.reason or "")
        after = {"status": str(plan.status), "run_id": plan.run_id}
        record(Action.PLAN_DECLINED, about, before, after)
    return plan


def _choose(
    plan_id: int, only: Collection[str] | None, trigger: str, user_id: int | None
) -> SyncRun:
    """Mark the rows, and add the run that applies them, in one transaction."""
    with transaction() as session:
        plan = _get_undecided(plan_id)
        rows = [SyncPlanRow.plan_id == plan_id, SyncPlanRow.action.in_(APPLICABLE)]
        if only is not None:
            rows.append(SyncPlanRow.agent_id.in_(only))
            found = set(session.scalars(select(SyncPlanRow.agent_id).where(*rows)))
            if unknown := sorted(set(only) - found):
                raise InvalidInput(f"The plan has nothing to apply for the agent {unknown[0]}.")
        if not count_changed(session, update(SyncPlanRow).where(*rows).values(chosen=True)):
            raise Refused("There is nothing to apply.")
        plan.status = PlanStatus.APPLIED
        run, _ = find_or_add_run(session, SyncKind.APPLY, trigger, str(plan_id), user_id)
    return run


def _get_undecided(plan_id: int) -> SyncPlan:
    """For the transaction alone, so that no two people decide at once."""
    get_plan(plan_id)
    plan = db.session.get_one(SyncPlan, plan_id, with_for_update=True, populate_existing=True)
    if not plan.can_be_applied:
        raise Refused(WHY_NOT[plan.status])
    return plan
