"""Proving again who one is, before what matters most; what was typed waits sealed meanwhile."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import update

from portal.clock import utc_now
from portal.db import changed_one
from portal.errors import InvalidInput, SecretUnreadable
from portal.models import UserSession
from portal.services.accounts.second_factors.proof import Proof, proven
from portal.services.accounts.throttle import Caller
from portal.services.accounts.tokens import digest, new_token
from portal.vault import get_vault

FRESH_FOR = timedelta(minutes=30)

Fields = list[tuple[str, str]]


def is_fresh(session_row: UserSession, now: datetime) -> bool:
    """Whether the session's user proved to be the one not long ago."""
    proved_at = session_row.proved_at
    return proved_at is not None and now - proved_at < FRESH_FOR


def prove_again(user_id: int, token_digest: str, proof: Proof, caller: Caller) -> str:
    """The token of the session from now on: the one of before, which may have been taken, ends.

    Raises InvalidInput and TooManyAttempts.
    """
    token = new_token()
    renewed = (
        update(UserSession)
        .where(UserSession.token_digest == token_digest, UserSession.user_id == user_id)
        .values(token_digest=digest(token), proved_at=utc_now())
    )
    with proven(user_id, proof, caller) as (session, _user):
        if not changed_one(session, renewed):
            raise InvalidInput("You were signed out meanwhile. Sign in again.")
    return token


def seal_form(fields: Fields, bound_to: str) -> str:
    """What was typed, which may hold secrets, for a page that carries it along: ciphertext that
    opens for the same session and address alone."""
    return get_vault().seal(json.dumps(fields), f"form/{bound_to}")


def open_form(sealed: str, bound_to: str) -> Fields:
    """Raises InvalidInput for what was not sealed here for this."""
    try:
        found = json.loads(get_vault().open(sealed, f"form/{bound_to}"))
    except SecretUnreadable as error:
        raise InvalidInput(
            "What you entered cannot be read any more. Go back, and send the form again."
        ) from error
    return [(name, value) for name, value in found]
