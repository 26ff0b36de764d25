"""Who is calling: a Knox token, else an API key, with the real server's refusals."""

from __future__ import annotations

from flask import Request, g

from tactical_simulator.answers import Refused
from tactical_simulator.fleet.accounts import Caller, User
from tactical_simulator.state import State

_CHALLENGE = {"WWW-Authenticate": "Token"}


def unauthenticated(detail: str) -> Refused:
    return Refused(401, {"detail": detail}, _CHALLENGE)


def authenticate(state: State, request: Request, *, knox_only: bool = False) -> Caller:
    """Knox comes first: a bad token beside a good API key is refused; seen on a live server."""
    caller = _by_token(state, request)
    if caller is None and not knox_only:
        caller = _by_key(state, request)
    if caller is None:
        raise unauthenticated("Authentication credentials were not provided.")
    return caller


def sends_credentials(request: Request) -> bool:
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return scheme.lower() == "token" or "X-API-KEY" in request.headers


def caller() -> Caller:
    """Of the request at hand, once authenticated."""
    found: Caller = g.caller
    return found


def _by_token(state: State, request: Request) -> Caller | None:
    words = request.headers.get("Authorization", "").split()
    if not words or words[0].lower() != "token":
        return None  # `Bearer` is ignored, as if nothing was sent
    if len(words) != 2:
        raise unauthenticated("Invalid token header. No credentials provided.")
    with state.lock:
        user = state.accounts.use_token(words[1], state.clock.now())
    if user is None:
        raise unauthenticated("Invalid token.")
    return _caller(state, user, words[1])


def _by_key(state: State, request: Request) -> Caller | None:
    sent = request.headers.get("X-API-KEY")
    if sent is None:
        return None
    key = state.accounts.keys.get(sent)
    if key is None or key.user not in state.accounts.users:
        raise unauthenticated("Invalid token.")
    found = _caller(state, state.accounts.users[key.user], None)
    if key.expires is not None and key.expires < state.clock.now():
        raise unauthenticated("The token has expired.")
    return found


def _caller(state: State, user: User, token: str | None) -> Caller:
    if not user.active:
        raise unauthenticated("User inactive or deleted.")
    role = state.accounts.roles.get(user.role) if user.role is not None else None
    return Caller(user, role, token)
