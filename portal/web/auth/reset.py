"""Choosing a new password by a link."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.services.accounts import password_changes
from portal.services.accounts.throttle import TooManyAttempts
from portal.web.auth.forms import ResetForm
from portal.web.auth.session import end_session
from portal.web.auth.views import auth
from portal.web.caller import get_caller, remember_device
from portal.web.forms import mark, refuse
from portal.web.links import OLD, ask_for_code, lead_on, read_code


@auth.get("/reset")
def open_reset() -> ResponseReturnValue:
    return ask_for_code("auth.show_reset")


@auth.get(f"/reset/{OLD}")
def open_old_reset(code: str) -> ResponseReturnValue:
    return lead_on("auth.open_reset", code)


@auth.post("/reset")
def show_reset() -> ResponseReturnValue:
    """Looking uses nothing up: some mail programs open every link."""
    code = read_code()
    if not code:
        return ask_for_code("auth.show_reset")
    if password_changes.find_reset(code) is None:
        raise password_changes.used_up()
    return _page(code, ResetForm())


@auth.post("/reset/password")
def reset() -> ResponseReturnValue:
    form, code = ResetForm(), read_code()
    try:
        user, device = password_changes.use_reset(code, form.password.data or "", get_caller())
    except (InvalidInput, TooManyAttempts) as error:
        mark(form, error)
        return refuse(_page(code, form), error)
    end_session()
    flash("Your password was changed. Sign in with the new one.", "success")
    response = make_response(redirect(url_for("auth.sign_in")))
    remember_device(response, user.email, device)
    return response


def _page(code: str, form: ResetForm) -> str:
    found = password_changes.find_reset(code)
    return render_template(
        "reset.html",
        form=form,
        code=code,
        email=found.user.email if found is not None else "",
        removes_factors=found is not None and found.removes_factors,
    )
