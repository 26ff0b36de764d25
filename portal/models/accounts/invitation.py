from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.accounts.tenant import Tenant
from portal.models.accounts.user import User
from portal.models.channels.message import Message


class Invitation(TenantOwned, Base):
    """A link that gives the person of an address a place in the tenant, once. `email` is lower
    case; of the token only the digest is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        Index(None, "invited_by"),
        Index(None, "message_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str]
    role: Mapped[str]
    token_digest: Mapped[str] = mapped_column(unique=True)
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """None: an operator, by a command."""
    expires_at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    """The mail that brings the link; None: whoever made it sends it."""
    limited: Mapped[bool] = mapped_column(default=False, server_default=sql.false())
    """As the place that it gives: to the clients of its rows in `invitation_clients`."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    tenant: Mapped[Tenant] = relationship()
    inviter: Mapped[User | None] = relationship()
    message: Mapped[Message | None] = relationship()


class InvitationClient(TenantOwned, Base):
    """A client that a limited place will be for."""

    __tablename__ = "invitation_clients"
    __table_args__ = (UniqueConstraint("invitation_id", "client_id"), Index(None, "client_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invitation_id: Mapped[int] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
