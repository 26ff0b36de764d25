"""Taking a run back: what that would change, and doing it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import Refused
from portal.services.accounts.permissions import Permission
from portal.services.clients import list_client_names
from portal.services.runs import history, reverts
from portal.services.runs.revert_previews import preview_revert
from portal.web.fragments import page_number
from portal.web.guard import get_user, requires
from portal.web.sync_runs.views import sync_runs


@sync_runs.get("/<int:run_id>/undo")
@requires(Permission.READ_CONNECTION)
def preview_undo(run_id: int) -> ResponseReturnValue:
    try:
        preview = preview_revert(run_id, page_number())
    except Refused as error:
        run = history.get_run(run_id)
        return render_template("sync_runs/undo.html", run=run, preview=None, why_not=error.message)
    return render_template(
        "sync_runs/undo.html",
        run=preview.run,
        preview=preview,
        until=reverts.undo_until(preview.run),
        client_names=list_client_names(
            value for row in preview.page.items for value in row.changes.get("client_id", ())
        ),
    )


@sync_runs.post("/<int:run_id>/undo")
@requires(Permission.MAP)
def undo(run_id: int) -> ResponseReturnValue:
    """It may map organizations, and give assets to other clients. A second press leads to the run
    at work."""
    try:
        run = reverts.request_revert(run_id, get_user().id)
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("sync_runs.show", run_id=run_id))
    return redirect(url_for("sync_runs.show", run_id=run.id))
