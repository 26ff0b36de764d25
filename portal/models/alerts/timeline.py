from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class TimelineKind(StrEnum):
    RECEIVED = "received"
    CONFIRMED = "confirmed"
    RULE = "rule"
    WINDOW = "window"
    WAITING = "waiting"
    """A rule waits until the alert has lasted long enough."""
    SILENT = "silent"
    MESSAGE = "message"
    """Sent, failed or dropped."""
    TICKET = "ticket"
    """Opened, commented, closed … in a helpdesk."""
    REMINDED = "reminded"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    """In the portal; or not any more."""
    RESOLVED = "resolved"


class TimelineEntry(TenantOwned, Base):
    """Something that happened to an alert, for whoever asks why nobody called."""

    __tablename__ = "alert_timeline"
    __table_args__ = (Index(None, "alert_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("rmm_alerts.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[TimelineKind]
    text: Mapped[str]
    """A sentence for people."""
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What the sentence is about: ids of the rule, the window, the channel, the message."""
