"""Which second factors a user has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.db import db
from portal.models import Authenticator, User
from portal.services.accounts.second_factors import recovery_codes


@dataclass(frozen=True, slots=True)
class FactorStatus:
    """`app_since`: when the authenticator app was set up, None without one."""

    app_since: datetime | None
    codes_left: int

    @property
    def has_factor(self) -> bool:
        return self.app_since is not None

    @property
    def has_few_codes(self) -> bool:
        return self.has_factor and self.codes_left <= recovery_codes.FEW


def get_status(user_id: int) -> FactorStatus:
    session = db.session()
    app = find_app(session, user_id)
    return FactorStatus(
        app_since=app.confirmed_at if app else None,
        codes_left=recovery_codes.count_codes(session, user_id),
    )


def has_factor(session: Session, user_id: int) -> bool:
    """Recovery codes are none: they stand in for one."""
    app = exists().where(Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None))
    return bool(session.scalar(select(app)))


def find_app(session: Session, user_id: int) -> Authenticator | None:
    """The authenticator app, if it was set up to the end."""
    row = session.get(Authenticator, user_id, populate_existing=True)
    return row if row is not None and row.confirmed_at is not None else None


def lock_user(session: Session, user_id: int) -> User | None:
    """The user as it is now; one transaction at a time changes how the user signs in."""
    return session.get(User, user_id, with_for_update=True, populate_existing=True)
