"""Signing in and out. A signed-in browser holds a random token; we keep its digest."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from portal.db import db, transaction, utc_now
from portal.errors import Refused
from portal.models import User, UserSession
from portal.services.passwords import hash_password, needs_rehash, password_matches

IDLE_LIMIT = timedelta(hours=2)
ABSOLUTE_LIMIT = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)


def sign_in(email: str, password: str) -> str:
    """The token of a new session. Raises Refused, with one message for every reason."""
    email = email.strip().lower()
    user = db.session.scalar(select(User).where(User.email == email))
    if not password_matches(user.password_hash if user else None, password) or user is None:
        raise Refused("The email address or the password is not right.")
    user_id, stale_hash = user.id, needs_rehash(user.password_hash)
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        session.execute(delete(UserSession).where(UserSession.last_used_at < _oldest_allowed()))
        row = session.get_one(User, user_id)
        row.last_sign_in_at = utc_now()
        if stale_hash:
            row.password_hash = hash_password(password)
        session.add(UserSession(token_digest=digest(token), user_id=user_id))
    return token


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


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _oldest_allowed() -> datetime:
    return utc_now() - ABSOLUTE_LIMIT
