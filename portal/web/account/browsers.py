"""The browsers in which one is signed in oneself: ended from the account's page."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.services.accounts import sessions
from portal.web.auth.views import signed_in
from portal.web.guard import get_user
from portal.web.input import check_input
from portal.web.reauthentication import fresh_sign_in_required

browsers = Blueprint("browsers", __name__, url_prefix="/account/browsers")
browsers.before_request(check_input)


@browsers.post("/<handle>/end")
@signed_in
@fresh_sign_in_required
def end(handle: str) -> ResponseReturnValue:
    sessions.end_session(get_user().id, handle)
    flash("The browser is signed out.", "success")
    return redirect(url_for("auth.account"))


@browsers.post("/end-others")
@signed_in
@fresh_sign_in_required
def end_others() -> ResponseReturnValue:
    sessions.sign_out_everywhere(get_user().id, but=g.session_digest)
    flash("Your other browsers are signed out.", "success")
    return redirect(url_for("auth.account"))
