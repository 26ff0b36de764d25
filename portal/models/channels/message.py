from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

_WAITS = text("status = 'waiting'")


class MessageReason(StrEnum):
    """What a message tells."""

    RAISED = "raised"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    NOTICE = "notice"
    """Of the portal itself: that something began."""
    NOTICE_OVER = "notice_over"
    INVITATION = "invitation"
    RESET = "reset"


class MessageStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"
    """Not needed any more, or its channel was switched off; `answer` says which."""
    FAILED = "failed"
    """Tried for a day, or refused for good."""


class Message(TenantOwned, Base):
    """One thing that one channel is told, once.

    Written in the transaction of what it tells, and sent later. `key` is what makes it the only
    one of its kind, and what a far side is given that takes a key against doubles.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index(None, "channel_id"),
        Index(None, "handling_id"),
        Index(None, "notice_id"),
        Index(
            "ix_messages_waiting",
            "channel_id",
            "id",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
        Index(None, "tenant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
    handling_id: Mapped[int | None] = mapped_column(
        ForeignKey("alert_handlings.id", ondelete="CASCADE")
    )
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    key: Mapped[str]
    reason: Mapped[MessageReason]
    recipient: Mapped[str | None]
    """An address of its own, such as a person's, or of one whom the mail server refused while it
    took the mail of the others; None: whom the channel itself names."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What it says beside the alert itself, such as the rule and the urgency."""
    status: Mapped[MessageStatus] = mapped_column(default=MessageStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    """Begun ones: written before the far side hears anything."""
    begun_at: Mapped[datetime | None]
    """When the last attempt began whose outcome is not written yet."""
    may_be_double: Mapped[bool] = mapped_column(default=False)
    """An earlier attempt may have arrived: its answer was lost."""
    told_in: Mapped[int | None]
    """The id of the message that told it together with others; None: it was sent by itself."""
    answer: Mapped[str | None]
    """What the far side said last, in words."""
    thread: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What the far side needs to answer in the same thread."""
    due_at: Mapped[datetime | None]
    """Not before this: its recipient alone was refused, and others are not held up."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    settled_at: Mapped[datetime | None]
