"""The one-time code that is asked for on every page, while the portal cannot sign in without."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.integrations import codes
from portal.web.errands.following import follow
from portal.web.guard import is_safe_target, requires
from portal.web.tacticalrmm.views import tacticalrmm


@tacticalrmm.post("/code")
@requires(Permission.CHANGE_SETTINGS)
def enter_code() -> ResponseReturnValue:
    """A worker signs in with it; the page that it was entered on shows how that goes."""
    try:
        follow(codes.enter_code(request.form.get("totp_code", "")))
    except (InvalidInput, Refused) as error:
        flash(error.message, "error")
    back = request.form.get("next")
    return redirect(back if back and is_safe_target(back) else url_for("tacticalrmm.show"))
