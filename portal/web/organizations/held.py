"""A person's decision about organizations that Tactical lists no more."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.organizations import held as service
from portal.web.guard import get_user, is_safe_target, requires
from portal.web.input import to_id
from portal.web.organizations.views import organizations

DECISIONS = {"gone": service.mark_as_gone, "keep": service.keep}


@organizations.post("/held")
@requires(Permission.MAP)
def decide() -> ResponseReturnValue:
    """About those that the page showed: others may have joined them since."""
    deed = DECISIONS.get(request.form.get("decision", ""))
    if deed is None:
        raise InvalidInput("Choose whether the organizations are gone.")
    try:
        run = deed(request.form.getlist("organization", type=to_id), get_user().id)
        flash(f"{run.title}.", "success")
    except Refused as error:
        flash(error.message, "error")
    back = request.form.get("next", "")
    return redirect(back if is_safe_target(back) else url_for("organizations.index"))
