from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, sql
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.accounts.tenant import Tenant
from portal.models.channels.message import Message


class User(Base):
    """A person who signs in. `email` is lower case."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_sign_in_at: Mapped[datetime | None]
    passkey_handle: Mapped[str | None]
    """What passkeys know the user by: random bytes in hexadecimal."""
    factor_offered_at: Mapped[datetime | None]
    """When the user chose to sign in without a second factor for now."""


class Membership(TenantOwned, Base):
    """A user's place in a tenant; `role` is a word of `portal.services.accounts.permissions`."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("user_id", "tenant_id"), Index(None, "tenant_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str]
    disabled_at: Mapped[datetime | None]
    """Since when the place is closed to the user; it keeps its role."""
    limited: Mapped[bool] = mapped_column(default=False, server_default=sql.false())
    """To the clients of its rows in `membership_clients`: without any, to none at all."""
    notices_chosen_at: Mapped[datetime | None]
    """When the user chose which notices to get; None: what their role gets."""
    list_choices: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, server_default=sql.text("'{}'")
    )
    """How lists look for the user, as `portal.services.saved_views.looks` reads it."""
    steps_skipped: Mapped[list[str]] = mapped_column(
        JSON, default=list, server_default=sql.text("'[]'")
    )
    """Of the first steps, those of the user's own that they leave out."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    user: Mapped[User] = relationship()
    tenant: Mapped[Tenant] = relationship()
    wants_code: Mapped[bool | None] = query_expression()
    """Whether the tenant's server wants a one-time code; read where a page needs it."""
    conflicts: Mapped[int | None] = query_expression()
    """How many conflicts of the tenant need a person; read like `wants_code`."""
    client_ids: Mapped[str | None] = query_expression()
    """Of its rows in `membership_clients`, with commas between them; read like `wants_code`."""
    views: Mapped[str | None] = query_expression()
    """The views of lists that the menu shows; read like `wants_code`."""


class MembershipClient(TenantOwned, Base):
    """A client that a limited place is for."""

    __tablename__ = "membership_clients"
    __table_args__ = (UniqueConstraint("membership_id", "client_id"), Index(None, "client_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))


class UserSession(Base):
    """A signed-in browser. The cookie holds a random token, the row its digest."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "last_used_at"),
        Index(None, "provider_of"),
        Index(None, "entered"),
    )

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime] = mapped_column(default=utc_now)
    device: Mapped[str] = mapped_column(default="", server_default="")
    """In words, as the browser told at the sign-in; empty if it told nothing."""
    address: Mapped[str] = mapped_column(default="", server_default="")
    """Where the sign-in came from."""
    proved_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    """When its user last proved to be the one; None in a session of before this was kept, and
    where an identity provider did not say it."""
    provider_of: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    """The tenant whose identity provider opened the session, which opens that tenant alone; None:
    the user signed in here."""
    entered: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="SET NULL"))
    """A tenant that requires its identity provider, and that its owner entered without."""

    user: Mapped[User] = relationship()


class PasswordReset(Base):
    """A link that sets a user's password, once. Only its digest is kept."""

    __tablename__ = "password_resets"
    __table_args__ = (Index(None, "message_id"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_digest: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    removes_factors: Mapped[bool] = mapped_column(default=False, server_default=sql.false())
    """For somebody who lost the second factor, or whose account was taken over."""
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    """The mail of a tenant's that brings the link; None: whoever made it sends it."""

    user: Mapped[User] = relationship()
    message: Mapped[Message | None] = relationship()


class InstallSetting(Base):
    """A fact about the whole install, such as the digest of the set-up token."""

    __tablename__ = "install_settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
