"""Sync runs: started, watched, stopped, looked back at."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.extensions import htmx
from portal.models import SyncRun
from portal.models.runs.sync_run import OF_A_PERSON, SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.clients import list_client_names
from portal.services.integrations.current import find_integration
from portal.services.integrations.preview_due import find_pending_preview
from portal.services.integrations.server_health import find_outage
from portal.services.organizations.held import list_held_by
from portal.services.runs import causes, history, reverts
from portal.services.runs import requests as run_service
from portal.services.runs.plans import find_plan_of_run
from portal.web.fragments import go, page_number, page_or_region, words
from portal.web.guard import get_user, is_safe_target, requires, tenant_blueprint
from portal.web.input import split_current_url
from portal.web.saved_views.look import list_context

OF_WHAT_WAS_CHOSEN = (SyncKind.AGENT, SyncKind.AGENTS, SyncKind.APPLY, SyncKind.REVERT)
STARTABLE = tuple(
    kind for kind in SyncKind if kind not in OF_WHAT_WAS_CHOSEN and kind not in OF_A_PERSON
)
"""By a button, without saying of what."""

sync_runs = tenant_blueprint("sync_runs", __name__, "/sync-runs")


@sync_runs.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    kind, status = words("kind"), words("status")
    integration = find_integration()
    page = history.list_runs(kind, status, page_number())
    return page_or_region(
        "sync_runs/list.html",
        {"run-rows": "sync_runs/_rows.html"},
        **list_context("sync_runs"),
        page=page,
        requesters=history.name_requesters(page.items),
        filters={"kind": kind, "status": status},
        any_runs=bool(page.items or kind or status),
        integration=integration,
        outage=find_outage(integration),
        pending_preview=find_pending_preview(integration),
        run=history.find_any_active_run(),
    )


@sync_runs.post("/start/<kind>")
@requires(Permission.SYNC)
def start(kind: str) -> ResponseReturnValue:
    """A second press does not start a second run: it leads to the one at work."""
    if kind not in STARTABLE:
        abort(404)
    run, is_new = run_service.request_run(SyncKind(kind), "button", user_id=get_user().id)
    if htmx:
        return render_template("_progress.html", run=run)
    if not is_new:
        flash("This sync is already running.", "info")
    return redirect(url_for("sync_runs.show", run_id=run.id))


@sync_runs.get("/<int:run_id>")
@requires(Permission.READ)
def show(run_id: int) -> ResponseReturnValue:
    run = history.get_run(run_id)
    requester = history.find_requester(run)
    filters = {"action": words("action"), "q": words("q")}
    page = history.list_log_entries(run_id, filters["action"], filters["q"], page_number())
    return page_or_region(
        "sync_runs/detail.html",
        {"log-rows": "sync_runs/_log.html", "run-causes": "sync_runs/_causes.html"},
        run=run,
        plan=find_plan_of_run(run_id),
        requested_by=requester.email if requester else None,
        undo=None if g.membership.limited else _describe_undo(run),
        page=page,
        client_names=list_client_names(
            value for entry in page.items for value in (entry.changes or {}).get("client_id", ())
        ),
        filters=filters,
        action_counts=history.count_log_actions(run_id),
        causes=causes.list_causes(run),
        held=[] if g.membership.limited else list_held_by(run),
        restart=run.kind if run.kind in STARTABLE else None,
        most_retried=causes.MOST_RETRIED,
    )


def _describe_undo(run: SyncRun) -> dict[str, Any]:
    """For whoever sees the whole tenant; others are not shown it."""
    return {
        "is_possible": reverts.find_obstacle(run) is None,
        "is_too_old": reverts.is_too_old(run),
        "until": reverts.undo_until(run),
        "linked": history.list_linked_ids(run),
    }


@sync_runs.get("/<int:run_id>/progress")
@requires(Permission.READ)
def progress(run_id: int) -> ResponseReturnValue:
    """The panel as it is now; the last one makes the rest of the page reload. Who waits on the page
    of a preview is led to it."""
    run = history.get_run(run_id)
    if not htmx:
        return redirect(url_for("sync_runs.show", run_id=run_id))
    response = make_response(render_template("_progress.html", run=run))
    if not run.is_active:
        response.headers["HX-Trigger"] = "sync-finished"
        plan = find_plan_of_run(run_id) if run.kind is SyncKind.PREVIEW else None
        here = url_for("sync_runs.show", run_id=run_id)
        if plan is not None and split_current_url().path == here:
            return go(url_for("plans.show", plan_id=plan.id))
    return response


@sync_runs.post("/<int:run_id>/retry/<int:entry_id>")
@requires(Permission.SYNC)
def retry(run_id: int, entry_id: int) -> ResponseReturnValue:
    """Read again the agents that failed for the reason of this entry, and no others."""
    run, is_new = causes.retry_failed(run_id, entry_id, get_user().id)
    if not is_new:
        flash("These agents are already being read again.", "info")
    return go(url_for("sync_runs.show", run_id=run.id))


@sync_runs.post("/<int:run_id>/cancel")
@requires(Permission.SYNC)
def cancel(run_id: int) -> ResponseReturnValue:
    run = run_service.cancel_run(run_id)
    if htmx:
        return render_template("_progress.html", run=run)
    back = request.form.get("next")
    return redirect(
        back if back and is_safe_target(back) else url_for("sync_runs.show", run_id=run_id)
    )
