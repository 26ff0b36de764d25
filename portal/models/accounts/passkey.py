from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId


class Passkey(Base):
    """A key of a user's device or password manager (WebAuthn)."""

    __tablename__ = "passkeys"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    credential_id: Mapped[str] = mapped_column(unique=True)
    """In base64url."""
    public_key: Mapped[bytes]
    """In COSE form."""
    sign_count: Mapped[int]
    """How often it has signed; 0 for keys that do not count."""
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]


class PasskeyPurpose(StrEnum):
    ADD = "add"
    PROVE = "prove"
    """As the second factor of a user who is known."""
    SIGN_IN = "sign_in"
    """Alone: the key says whose it is."""


class PasskeyChallenge(Base):
    """Bytes that a passkey signs, for one purpose, once and within minutes.

    The cookie holds a random token, the row its digest.
    """

    __tablename__ = "passkey_challenges"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    challenge: Mapped[bytes]
    purpose: Mapped[PasskeyPurpose]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """None when nobody is known yet."""
    expires_at: Mapped[datetime]
