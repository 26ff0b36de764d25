from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, sql
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class SavedView(TenantOwned, Base):
    """A name for a list's filter, order and columns: of one person, or of the whole tenant."""

    __tablename__ = "saved_views"
    __table_args__ = (Index(None, "tenant_id"), Index(None, "membership_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    membership_id: Mapped[int | None] = mapped_column(
        ForeignKey("memberships.id", ondelete="CASCADE")
    )
    """Whose it is; None: everybody's in the tenant."""
    list_name: Mapped[str]
    """A word of `portal.services.saved_views.lists.LISTS`."""
    name: Mapped[str]
    query: Mapped[str] = mapped_column(default="", server_default=sql.literal(""))
    """The part of the list's address behind the question mark."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]
    """Since when it is gone for everybody; for a while it can be brought back."""
