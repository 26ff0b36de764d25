"""Signing in and out. A signed-in browser holds a random token; we keep its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import User, UserSession
from portal.services.accounts.known_devices import find_device, issue_device
from portal.services.accounts.passwords import hash_password, needs_rehash, password_matches
from portal.services.accounts.throttle import Caller, attempt
from portal.services.accounts.tokens import digest, new_token
from portal.services.accounts.users import is_shut_out

IDLE_LIMIT = timedelta(hours=2)
ABSOLUTE_LIMIT = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
WRONG_CREDENTIALS = "The email address or the password is incorrect."


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the browser keeps: the token of its session, the word of its device."""

    email: str
    token: str
    device: str


def sign_in(email: str, password: str, caller: Caller) -> SignIn:
    """Raises Refused, with one message for every reason, and TooManyAttempts."""
    email = email.strip().lower()
    user = db.session.scalar(select(User).where(User.email == email))
    with attempt(caller, email, find_device(user, caller.device)):
        matches = password_matches(user.password_hash if user else None, password)
        if not matches or user is None or is_shut_out(user.id):
            raise Refused(WRONG_CREDENTIALS)
    stale = needs_rehash(user.password_hash)
    return start_session(user, hash_password(password) if stale else None)


def start_session(user: User, new_hash: str | None = None) -> SignIn:
    """For a user who has just proved to be one; `new_hash`, of the same password, where the old
    one is weaker than those of today.

    Raises Refused when the user is gone since, or has another password.
    """
    token, user_id, proven = new_token(), user.id, user.password_hash
    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.last_used_at < _oldest_allowed()))
        now = session.get(User, user_id)
        if now is None or now.password_hash != proven:
            raise Refused(WRONG_CREDENTIALS)
        now.last_sign_in_at = utc_now()
        now.password_hash = new_hash or proven
        session.add(UserSession(token_digest=digest(token), user_id=user_id))
    return SignIn(now.email, token, issue_device(now))


def find_session(token: str) -> UserSession | None:
    """The session of a token that is neither idle nor too old; notes that it was used."""
    now = utc_now()
    found = db.session.scalar(
        select(UserSession)
        .filter_by(token_digest=digest(token))
        .options(joinedload(UserSession.user))
    )
    if found is None or found.last_used_at < now - IDLE_LIMIT:
        return None
    if found.created_at < now - ABSOLUTE_LIMIT:
        return None
    if found.last_used_at < now - TOUCH_EVERY:
        with transaction() as session:
            found = session.scalar(select(UserSession).filter_by(token_digest=digest(token)))
            if found is not None:
                found.last_used_at = now
    return found


def sign_out(token: str) -> None:
    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.token_digest == digest(token)))


def _oldest_allowed() -> datetime:
    return utc_now() - ABSOLUTE_LIMIT
