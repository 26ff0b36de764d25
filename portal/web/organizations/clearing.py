"""Removing what the connection, or the mapping of one organization, has created."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.runs import clearing as service
from portal.web.guard import get_user, requires
from portal.web.input import to_number
from portal.web.organizations.views import organizations
from portal.web.reauthentication import fresh_sign_in_required


@organizations.get("/created")
@organizations.get("/<int:organization_id>/created")
@requires(Permission.MAP)
def created(organization_id: int | None = None) -> ResponseReturnValue:
    return _page(organization_id)


@organizations.post("/created")
@organizations.post("/<int:organization_id>/created")
@requires(Permission.MAP)
@fresh_sign_in_required
def remove_created(organization_id: int | None = None) -> ResponseReturnValue:
    typed, edited_too = to_number(request.form.get("number", "")), bool(request.form.get("edited"))
    try:
        run = service.request_clearing(organization_id, typed, edited_too, get_user().id)
    except InvalidInput as error:
        return _page(organization_id, error.message, edited_too), 422
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("organizations.index"))
    return redirect(url_for("sync_runs.show", run_id=run.id))


def _page(organization_id: int | None, problem: str | None = None, edited_too: bool = False) -> str:
    return render_template(
        "organizations/created.html",
        created=service.count_created(organization_id),
        organization_id=organization_id,
        problem=problem,
        edited_too=edited_too,
    )
