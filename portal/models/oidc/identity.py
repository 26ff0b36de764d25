from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.accounts.user import Membership


class OidcIdentity(TenantOwned, Base):
    """Whom the tenant's identity provider means by a subject: the holder of a place."""

    __tablename__ = "oidc_identities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "issuer", "subject"),
        UniqueConstraint("membership_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"))
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]

    place: Mapped[Membership] = relationship()


class FlowPurpose(StrEnum):
    SIGN_IN = "sign_in"
    LINK = "link"
    """By somebody who is signed in already."""
    JOIN = "join"
    """With an invitation."""
    PROVE = "prove"
    """Again, by somebody whom the provider signed in."""


class OidcFlow(TenantOwned, Base):
    """A browser that was sent to the identity provider, and has yet to come back, once.

    Of what the provider repeats (`state`) and of what the browser keeps only digests are stored.
    """

    __tablename__ = "oidc_flows"
    __table_args__ = (
        Index(None, "tenant_id"),
        Index(None, "expires_at"),
        Index(None, "user_id"),
        Index(None, "invitation_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    state_digest: Mapped[str] = mapped_column(unique=True)
    browser_digest: Mapped[str]
    purpose: Mapped[FlowPurpose]
    issuer: Mapped[str]
    client_id: Mapped[str]
    """Of the provider as it was then."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    invitation_id: Mapped[int | None] = mapped_column(
        ForeignKey("invitations.id", ondelete="CASCADE")
    )
    next: Mapped[str] = mapped_column(default="")
    """The page of the portal that the person wanted."""
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
