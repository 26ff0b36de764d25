"""A plan of a device sync: looked at, applied in whole or in part, declined."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models.runs.sync_plan import APPLICABLE
from portal.models.undo.offer import UndoKind
from portal.services.accounts.permissions import Permission
from portal.services.integrations.current import find_integration
from portal.services.integrations.preview_due import find_pending_preview
from portal.services.runs import plans as service
from portal.services.undo.offers import offer_undo
from portal.web.fragments import flash_done, page_number, page_or_region, words
from portal.web.guard import get_user, requires, tenant_blueprint

plans = tenant_blueprint("plans", __name__, "/plans")


@plans.get("/<int:plan_id>")
@requires(Permission.READ)
def show(plan_id: int) -> ResponseReturnValue:
    plan, counts = service.get_plan(plan_id), service.count_actions(plan_id)
    filters = {"action": words("action"), "q": words("q")}
    page = service.list_rows(plan_id, filters["action"], filters["q"], page_number())
    pending = find_pending_preview(find_integration())
    return page_or_region(
        "plans/detail.html",
        {"plan-rows": "plans/_rows.html"},
        plan=plan,
        counts=counts,
        applicable=sum(counts.get(action, 0) for action in APPLICABLE),
        can_apply=[str(action) for action in APPLICABLE],
        why_not=None if plan.can_be_applied else service.WHY_NOT[plan.status],
        is_awaited=pending is not None and pending.plan_id == plan_id,
        client_names=service.list_named_clients(page.items),
        page=page,
        filters=filters,
    )


@plans.post("/<int:plan_id>/apply")
@requires(Permission.SYNC)
def apply(plan_id: int) -> ResponseReturnValue:
    """All of it, or the agents that were ticked."""
    only = request.form.getlist("agent") if request.form.get("which") == "chosen" else None
    if only == []:
        flash("Select the agents to apply first.", "error")
        return redirect(url_for("plans.show", plan_id=plan_id))
    try:
        run = service.request_apply(plan_id, only, get_user().id)
    except (Refused, InvalidInput) as error:
        flash(error.message, "error")
        return redirect(url_for("plans.show", plan_id=plan_id))
    flash_done("The plan is being applied.", offer_undo(UndoKind.APPLIED, {"run_id": run.id}))
    return redirect(url_for("sync_runs.show", run_id=run.id))


@plans.post("/<int:plan_id>/decline")
@requires(Permission.SYNC)
def decline(plan_id: int) -> ResponseReturnValue:
    try:
        service.decline_plan(plan_id)
    except Refused as error:
        flash(error.message, "error")
    else:
        flash("The plan was declined. Nothing was changed.", "success")
    return redirect(url_for("plans.show", plan_id=plan_id))
