"""Which second factors a user has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CompoundSelect, literal, literal_column, select, union_all
from sqlalchemy.orm import Session

from portal.db import db
from portal.models import Authenticator, Passkey, User
from portal.services.accounts.second_factors import recovery_codes


@dataclass(frozen=True, slots=True)
class FactorStatus:
    """`app_since`: when the authenticator app was set up, None without one."""

    app_since: datetime | None
    passkeys: list[Passkey]
    codes_left: int

    @property
    def has_factor(self) -> bool:
        return self.app_since is not None or bool(self.passkeys)

    @property
    def has_few_codes(self) -> bool:
        return self.has_factor and self.codes_left <= recovery_codes.FEW


def get_status(user_id: int) -> FactorStatus:
    session = db.session()
    app = find_app(session, user_id)
    return FactorStatus(
        app_since=app.confirmed_at if app else None,
        passkeys=list(
            session.scalars(select(Passkey).filter_by(user_id=user_id).order_by(Passkey.id))
        ),
        codes_left=recovery_codes.count_codes(session, user_id),
    )


def has_factor(session: Session, user_id: int) -> bool:
    """Recovery codes are none: they stand in for one."""
    return bool(session.scalar(select(select_having(user_id).exists())))


def select_having(*user_ids: int) -> CompoundSelect[int]:
    """The ids of those who have a second factor, some twice."""
    apps = select(Authenticator.user_id).where(
        Authenticator.user_id.in_(user_ids), Authenticator.confirmed_at.is_not(None)
    )
    return union_all(apps, select(Passkey.user_id).where(Passkey.user_id.in_(user_ids)))


def list_kinds(*user_ids: int) -> dict[int, list[str]]:
    """Of each of them who has a second factor: `app`, `passkey`, or both in this order."""
    apps = select(Authenticator.user_id, literal("app")).where(
        Authenticator.user_id.in_(user_ids), Authenticator.confirmed_at.is_not(None)
    )
    keys = select(Passkey.user_id, literal("passkey")).where(Passkey.user_id.in_(user_ids))
    found: dict[int, list[str]] = {}
    for user_id, kind in db.session.execute(apps.union(keys).order_by(literal_column("2"))):
        found.setdefault(user_id, []).append(kind)
    return found


def find_app(session: Session, user_id: int) -> Authenticator | None:
    """The authenticator app, if it was set up to the end."""
    row = session.get(Authenticator, user_id, populate_existing=True)
    return row if row is not None and row.confirmed_at is not None else None


def lock_user(session: Session, user_id: int) -> User | None:
    """The user as it is now; one transaction at a time changes how the user signs in."""
    return session.get(User, user_id, with_for_update=True, populate_existing=True)
