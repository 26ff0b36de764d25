"""The browsers in which one is signed in oneself: ended from the account's page."""

from __future__ import annotations

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.services.accounts import sessions
from portal.web.auth.views import auth, signed_in
from portal.web.guard import get_user
from portal.web.reauthentication import fresh_sign_in_required


@auth.post("/account/browsers/<handle>/end")
@signed_in
@fresh_sign_in_required
def end_browser(handle: str) -> ResponseReturnValue:
    sessions.end_session(get_user().id, handle)
    flash("The browser is signed out.", "success")
    return redirect(url_for("auth.account"))


@auth.post("/account/browsers/end-others")
@signed_in
@fresh_sign_in_required
def end_other_browsers() -> ResponseReturnValue:
    sessions.sign_out_everywhere(get_user().id, but=g.session_digest)
    flash("Your other browsers are signed out.", "success")
    return redirect(url_for("auth.account"))
