"""The browsers in which a user is signed in: listed, and ended one by one or all but one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, true

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import User, UserSession
from portal.services.accounts.sign_in import ABSOLUTE_LIMIT, IDLE_LIMIT, end_sessions
from portal.services.accounts.tokens import digest
from portal.services.audit.actions import Action
from portal.services.audit.people import record_of_user


@dataclass(frozen=True, slots=True)
class Browser:
    """`handle` names the session and opens nothing. `device` and `address`, at the sign-in, are
    empty where nothing is known."""

    handle: str
    device: str
    address: str
    signed_in_at: datetime
    last_used_at: datetime
    is_this: bool


def list_browsers(user_id: int, this: str = "", only_of: int | None = None) -> list[Browser]:
    """Those that are still signed in, the last used first; `this`: the digest of one's own.

    `only_of`: the tenant whose owner asks, without those that open another tenant alone.
    """
    return [
        Browser(
            handle=_handle(row.token_digest),
            device=row.device,
            address=row.address,
            signed_in_at=row.created_at,
            last_used_at=row.last_used_at,
            is_this=row.token_digest == this,
        )
        for row in _list_sessions(user_id, only_of)
    ]


def end_session(user_id: int, handle: str, only_of: int | None = None) -> None:
    """From its next request on; `only_of` as in `list_browsers`. Raises NotFound for one that has
    ended already."""
    with transaction() as session:
        found = [each.token_digest for each in _list_sessions(user_id, only_of)]
        ended = [each for each in found if _handle(each) == handle]
        if not ended:
            raise NotFound("This browser is signed out already.")
        session.execute(delete(UserSession).where(UserSession.token_digest.in_(ended)))
        record_of_user(Action.SIGNED_OUT_ELSEWHERE, session.get_one(User, user_id))


def sign_out_everywhere(user_id: int, but: str = "") -> None:
    """From the next request on, in every tenant; `but`: the digest of a session that stays."""
    with transaction() as session:
        end_sessions(session, user_id, but)
        record_of_user(Action.SIGNED_OUT_EVERYWHERE, session.get_one(User, user_id))


def _list_sessions(user_id: int, only_of: int | None) -> Sequence[UserSession]:
    now, provider = utc_now(), UserSession.provider_of
    is_shown = true() if only_of is None else or_(provider.is_(None), provider == only_of)
    return db.session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.last_used_at >= now - IDLE_LIMIT,
            UserSession.created_at >= now - ABSOLUTE_LIMIT,
            is_shown,
        )
        .order_by(UserSession.last_used_at.desc(), UserSession.token_digest)
    ).all()


def _handle(token_digest: str) -> str:
    return digest(token_digest)[:16]
