from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base
from portal.models.accounts.user import User


class Authenticator(Base):
    """An app of the user's that shows codes (TOTP). It counts once `confirmed_at` is set."""

    __tablename__ = "authenticators"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    envelope: Mapped[str]
    """The secret that the app shares, sealed by the vault."""
    last_step: Mapped[int] = mapped_column(default=0)
    """The time step, of 30 seconds since 1970, of the last code that was used: none up to it is
    taken again."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in for a second factor once; its row goes when it is used."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "user_id"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PendingSignIn(Base):
    """A browser whose user gave the password and has yet to give a second factor.

    The cookie holds a random token, the row its digest. It is no session, and opens no page.
    """

    __tablename__ = "pending_sign_ins"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship()
