"""What a browser keeps of a sign-in, and where it goes on to."""

from __future__ import annotations

from flask import Response, make_response, redirect, session, url_for

from portal.services.accounts import sign_in as sign_in_service
from portal.services.accounts.second_factors.requirement import is_offered
from portal.services.accounts.sign_in import SecondStep, SignIn
from portal.web.caller import remember_device
from portal.web.guard import TOKEN, is_safe_target

STEP = "second_step"
"""Where the signed cookie keeps the token of a sign-in that waits for its second factor."""
INVITATION = "invitation"
"""Where it keeps the code of an invitation whose person signs in first."""


def begin_session(done: SignIn, target: str) -> Response:
    """A new cookie: nothing of the earlier one is carried over but an invitation, and its session
    ends."""
    _renew_cookie()
    session[TOKEN] = done.token
    if is_offered(done.user):
        target = url_for("second_factors.offer", next=target)
    response = make_response(redirect(target))
    remember_device(response, done.email, done.device)
    return response


def begin_provider_session(token: str, target: str) -> Response:
    """As `begin_session`, for one that opens a single tenant: the device is known to no account."""
    end_session()
    session[TOKEN] = token
    return make_response(redirect(target))


def ask_second_factor(step: SecondStep, target: str) -> Response:
    """Signed in as nobody until then; an earlier session ends."""
    _renew_cookie()
    session[STEP] = step.token
    return make_response(redirect(url_for("second_step.show", next=target)))


def _renew_cookie() -> None:
    invitation = session.get(INVITATION)
    end_session()
    if invitation is not None:
        session[INVITATION] = invitation


def end_session() -> None:
    token = session.get(TOKEN)
    if isinstance(token, str):
        sign_in_service.sign_out(token)
    session.clear()


def after_sign_in(target: str | None) -> str:
    return target if target and is_safe_target(target) else url_for("auth.home")
