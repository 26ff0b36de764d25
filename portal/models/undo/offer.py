from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

SHAPE = 1
"""Of what offers keep. Raise it whenever one kind keeps something else, or means something else by
it: offers that an older version of the portal made are refused then."""


class UndoKind(StrEnum):
    """What was done. Each has its own way back, and needs the permission that doing it needed."""

    MAPPING = "mapping"
    """Or whatever else was done to organizations on their page."""
    VIEW_DELETED = "view_deleted"
    SHARED_VIEW_DELETED = "shared_view_deleted"
    WINDOW_DELETED = "window_deleted"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    CUSTOMERS_MAPPED = "customers_mapped"
    """Of a helpdesk."""
    RETIRED = "retired"
    """Or restored."""
    MERGED = "merged"
    SETTLED = "settled"
    """Of conflicts, one or many."""
    APPLIED = "applied"
    """Of a plan."""
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    """In the portal, like the next."""
    UNSNOOZED = "unsnoozed"
    SNOOZED_DAYS = "snoozed_days"
    """In Tactical, like the next."""
    UNSNOOZED_DAYS = "unsnoozed_days"
    MOVED = "moved"
    """To another client, by hand."""
    RULES_SWITCHED = "rules_switched"
    """On or off."""
    WATCH_SWITCHED = "watch_switched"
    """On or off; of software, like the next."""
    WATCH_REMOVED = "watch_removed"


class UndoOffer(TenantOwned, Base):
    """Something that a person did, and for a few minutes may take back, once."""

    __tablename__ = "undo_offers"
    __table_args__ = (Index(None, "tenant_id", "made_at"), Index(None, "user_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Who did it: nobody else takes it back by this."""
    kind: Mapped[UndoKind]
    change: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the way back needs to know, as its kind has it; no secret."""
    shape: Mapped[int] = mapped_column(default=SHAPE, server_default=text("0"))
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    pressed_at: Mapped[datetime | None]
