"""Signing in and out. A signed-in browser holds a random token; we keep its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session, joinedload

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import PendingSignIn, User, UserSession
from portal.services.accounts.known_devices import find_device, issue_device
from portal.services.accounts.passwords import hash_password, needs_rehash, password_matches
from portal.services.accounts.places import is_shut_out
from portal.services.accounts.second_factors.status import has_factor, lock_user
from portal.services.accounts.throttle import Caller, attempt
from portal.services.accounts.tokens import digest, new_token
from portal.services.audit.actions import Action
from portal.services.audit.people import as_user, record_failure, record_of_user

IDLE_LIMIT = timedelta(hours=2)
ABSOLUTE_LIMIT = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
SECOND_STEP_WITHIN = timedelta(minutes=10)
WRONG_CREDENTIALS = "The email address or the password is incorrect."


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the browser keeps: the token of its session, the word of its device."""

    email: str
    token: str
    device: str
    user: User


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What the browser keeps until its user gave a second factor."""

    token: str


def sign_in(email: str, password: str, caller: Caller) -> SignIn | SecondStep:
    """The session; for a user who has a second factor, a step towards one.

    Raises Refused, with one message for every reason, and TooManyAttempts.
    """
    email = email.strip().lower()
    user = db.session.scalar(select(User).where(User.email == email))
    with attempt(caller, email, find_device(user, caller.device)):
        matches = password_matches(user.password_hash if user else None, password)
        if not matches or user is None or is_shut_out(user.id):
            record_failure(user, email)
            raise Refused(WRONG_CREDENTIALS)
    stale = needs_rehash(user.password_hash)
    new_hash = hash_password(password) if stale else None
    with transaction() as session:
        now = _lock_proven(session, user, new_hash)
        if has_factor(session, now.id):
            return _begin_second_step(session, now)
        return open_session(session, now, caller)


def start_session(user: User, caller: Caller) -> SignIn:
    """For a new user, who has just proved to be one. Raises Refused when the user is gone since,
    or has another password."""
    with transaction() as session:
        return open_session(session, _lock_proven(session, user), caller)


def open_session(session: Session, user: User, caller: Caller) -> SignIn:
    """For a user who has proved everything that is asked for."""
    token = add_session(session, user, caller, proved_at=utc_now())
    record_of_user(Action.SIGNED_IN, user, actor=as_user(user))
    return SignIn(user.email, token, issue_device(user), user)


def add_session(
    session: Session,
    user: User,
    caller: Caller,
    *,
    proved_at: datetime | None,
    provider_of: int | None = None,
) -> str:
    """Its token. `provider_of`: the tenant whose identity provider opened it."""
    session.execute(delete(UserSession).where(UserSession.last_used_at < _oldest_allowed()))
    token = new_token()
    user.last_sign_in_at = utc_now()
    session.add(
        UserSession(
            token_digest=digest(token),
            user_id=user.id,
            device=caller.browser,
            address=caller.address,
            proved_at=proved_at,
            provider_of=provider_of,
        )
    )
    return token


def _lock_proven(session: Session, user: User, new_hash: str | None = None) -> User:
    """The user whose password was right; `new_hash`, of the same password, where the old one is
    weaker than those of today."""
    user_id, proven = user.id, user.password_hash
    now = lock_user(session, user_id)
    if now is None or now.password_hash != proven:
        raise Refused(WRONG_CREDENTIALS)
    now.password_hash = new_hash or proven
    return now


def _begin_second_step(session: Session, user: User) -> SecondStep:
    now, token = utc_now(), new_token()
    session.execute(delete(PendingSignIn).where(PendingSignIn.expires_at < now))
    session.add(
        PendingSignIn(
            token_digest=digest(token), user_id=user.id, expires_at=now + SECOND_STEP_WITHIN
        )
    )
    return SecondStep(token)


def find_session(token: str, *, is_use: bool = True) -> UserSession | None:
    """The session of a token that is neither idle nor too old; notes a use of it."""
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
    if is_use and found.last_used_at < now - TOUCH_EVERY:
        with transaction() as session:
            found = session.scalar(select(UserSession).filter_by(token_digest=digest(token)))
            if found is not None:
                found.last_used_at = now
    return found


def seconds_left(found: UserSession) -> int:
    """Until the session ends, if nobody uses it meanwhile."""
    end = min(found.last_used_at + IDLE_LIMIT, found.created_at + ABSOLUTE_LIMIT)
    return max(int((end - utc_now()).total_seconds()), 0)


def sign_out(token: str) -> None:
    with transaction() as session:
        own = UserSession.token_digest == digest(token)
        user = session.scalar(select(User).join(UserSession).where(own))
        if user is not None:
            session.execute(delete(UserSession).where(own))
            record_of_user(Action.SIGNED_OUT, user)


def end_sessions(session: Session, user_id: int, keep: str = "") -> None:
    """Those of the user, but for the one with that digest, and sign-ins that are half done."""
    session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.token_digest != keep)
    )
    session.execute(delete(PendingSignIn).where(PendingSignIn.user_id == user_id))


def end_sessions_in(session: Session, user_id: int, tenant_id: int) -> None:
    """Those that the tenant's identity provider opened, or that entered the tenant without it: they
    would open a place that the user is given there later."""
    there = or_(UserSession.provider_of == tenant_id, UserSession.entered == tenant_id)
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, there))


def _oldest_allowed() -> datetime:
    return utc_now() - ABSOLUTE_LIMIT
