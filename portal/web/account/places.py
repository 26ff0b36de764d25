"""The tenants that one is in oneself: left from the account's page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.errors import Refused
from portal.services.accounts import users
from portal.web.auth.views import signed_in
from portal.web.guard import get_user
from portal.web.input import check_input
from portal.web.reauthentication import fresh_sign_in_required

places = Blueprint("places", __name__, url_prefix="/account/tenants")
places.before_request(check_input)


@places.post("/<slug>/leave")
@signed_in
@fresh_sign_in_required
def leave(slug: str) -> ResponseReturnValue:
    try:
        users.leave_tenant(get_user().id, slug)
    except Refused as error:
        flash(error.message, "error")
    else:
        flash("You left the tenant.", "success")
    return redirect(url_for("auth.account"))
