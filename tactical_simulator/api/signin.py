"""The two steps of signing in, and signing out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyotp
from flask import Flask, Response, request

from tactical_simulator.answers import Crash, Refused, answer, notify_error
from tactical_simulator.api.auth import authenticate, sends_credentials
from tactical_simulator.api.routing import ANYONE, body, route
from tactical_simulator.clock import moment
from tactical_simulator.fleet.accounts import SHORT_LIFE, TOKEN_LIFE, User
from tactical_simulator.state import State
from tactical_simulator.throttle import address_of

WINDOW = 10
"""Steps of 30 seconds to either side; a code may be used again."""


def register(app: Flask, state: State) -> None:
    def check() -> Response:
        return check_credentials(state)

    def enter() -> Response:
        return log_in(state)

    def leave() -> Response:
        caller = authenticate(state, request, knox_only=True)
        if request.method != "POST":
            raise Refused(405, {"detail": f'Method "{request.method}" not allowed.'})
        state.accounts.tokens.pop(caller.token or "", None)
        return Response(status=204)

    route(app, state, "/v2/checkcreds/", {"POST": (ANYONE, check)})
    route(app, state, "/v2/login/", {"POST": (ANYONE, enter)})
    methods = ("POST", "GET", "PUT", "PATCH", "DELETE")
    route(app, state, "/logout/", dict.fromkeys(methods, (ANYONE, leave)))


def check_credentials(state: State) -> Response:
    """A user without TOTP gets the token here, and only here."""
    _throttle(state, "checkcreds")
    data = _fields(body())
    if "username" not in data:
        raise Crash("KeyError: username")
    user = _user_with_password(state, data)
    if user is None or not _may_log_in(state, user):
        raise notify_error("Bad credentials")
    if user.totp_secret is not None:
        return answer({"totp": True})
    response = answer({**_token(state, user, SHORT_LIFE), "totp": False})
    # Of no use with the API, but the real server sets them.
    response.set_cookie("csrftoken", "unused", domain=None)
    response.set_cookie("sessionid", "unused", httponly=True)
    return response


def log_in(state: State) -> Response:
    _throttle(state, "login")
    data = _fields(body())
    absent = [name for name in ("username", "password") if name not in data]
    if absent:
        raise Refused(400, {name: ["This field is required."] for name in absent})
    user = _user_with_password(state, data)
    if user is None:
        text = "Unable to log in with provided credentials."
        raise Refused(400, {"non_field_errors": [text]})
    if not _may_log_in(state, user):
        raise notify_error("Bad credentials")
    if not _code_fits(state, user, data):
        raise notify_error("Bad credentials")
    return answer({**_token(state, user, TOKEN_LIFE), "username": user.username, "name": None})


def _code_fits(state: State, user: User, data: dict[str, Any]) -> bool:
    """The code counts by the machine's own clock, which the caller's authenticator shares."""
    if state.settings.demo:
        return True
    if "twofactor" not in data:
        raise Crash("KeyError: twofactor")
    if user.totp_secret is None:
        raise Crash("TypeError: object of type 'NoneType' has no len()")
    code = str(data["twofactor"])
    return pyotp.TOTP(user.totp_secret).verify(
        code, for_time=datetime.now(UTC), valid_window=WINDOW
    )


def _throttle(state: State, name: str) -> None:
    """Who brings valid credentials is not counted."""
    if sends_credentials(request):
        authenticate(state, request)
        return
    with state.lock:
        state.throttle.count(name, address_of(request.environ), state.clock.now())


def _fields(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Crash("the data is no object")
    return data


def _user_with_password(state: State, data: dict[str, Any]) -> User | None:
    user = state.accounts.users.get(str(data["username"]))
    if user is None or not user.active or user.password != data.get("password"):
        return None
    return user


def _may_log_in(state: State, user: User) -> bool:
    if state.settings.block_local_user_logon and not user.superuser:
        return False
    return not (user.block_dashboard_login or user.sso)


def _token(state: State, user: User, life: int) -> dict[str, Any]:
    expires = state.clock.now() + life
    with state.lock:
        return {"expiry": moment(expires), "token": state.accounts.issue_token(user, expires)}
