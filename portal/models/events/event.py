from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Computed, Index, column, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

_PAYLOAD = column("payload", JSON)
_AGENT_ID = func.coalesce(_PAYLOAD["rmm_device_id"].as_string(), _PAYLOAD["agent_id"].as_string())
_HAS_AGENT = text("agent_id IS NOT NULL")


class EventType(StrEnum):
    """Stable names: subscribers rely on them."""

    WEBHOOK_RECEIVED = "rmm.webhook.received"
    SYNC_STARTED = "rmm.sync.started"
    SYNC_COMPLETED = "rmm.sync.completed"
    SYNC_FAILED = "rmm.sync.failed"
    DEVICE_CREATED = "rmm.device.created"
    DEVICE_UPDATED = "rmm.device.updated"
    DEVICE_STATUS = "rmm.device.status"
    DEVICE_MERGED = "rmm.device.merged"
    DEVICE_RETIRED = "rmm.device.retired"
    DEVICE_RESTORED = "rmm.device.restored"
    ALERT_TRIGGERED = "rmm.alert.triggered"
    ALERT_RESOLVED = "rmm.alert.resolved"
    ALERT_ACKNOWLEDGED = "rmm.alert.acknowledged"
    ALERT_ASSIGNED = "rmm.alert.assigned"
    ALERT_SNOOZED = "rmm.alert.snoozed"
    ALERT_UNSNOOZED = "rmm.alert.unsnoozed"
    ALERT_KEPT_BACK = "rmm.alert.kept_back"
    ALERT_ACTED_ON = "rmm.alert.acted_on"
    MESSAGE_SENT = "message.sent"
    MESSAGE_FAILED = "message.failed"
    TICKET_OPENED = "ticket.opened"
    TICKET_COMMENTED = "ticket.commented"
    TICKET_CLOSED = "ticket.closed"
    TICKET_REOPENED = "ticket.reopened"
    TICKET_FAILED = "ticket.failed"
    TICKET_UNSURE = "ticket.unsure"
    TICKET_GONE = "ticket.gone"
    WATCH_MATCHED = "software.watch.matched"
    WATCH_CLEARED = "software.watch.cleared"
    NOTICE_BEGAN = "notice.began"
    NOTICE_ENDED = "notice.ended"
    AUDIT_RECORDED = "audit.recorded"
    """For owners and admins alone: not among the events that everybody sees, and sent to those
    who name it."""


ORDINARY = tuple(kind for kind in EventType if kind is not EventType.AUDIT_RECORDED)


class Event(TenantOwned, Base):
    """Something that happened, written in the transaction in which it did."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "tenant_id", "id"),
        Index(None, "tenant_id", "type", "id"),
        Index(
            "ix_events_of_agents",
            *("tenant_id", "agent_id", "id"),
            sqlite_where=_HAS_AGENT,
            postgresql_where=_HAS_AGENT,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    type: Mapped[str]
    subject: Mapped[str]
    """What it is about, for people: a computer's or an organization's name."""
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    occurred_at: Mapped[datetime] = mapped_column(default=utc_now)
    agent_id: Mapped[str | None] = mapped_column(Computed(_AGENT_ID, persisted=True))
    """Tactical's, from the payload: of what is about one asset. The database makes it."""


class EventSubscriber(TenantOwned, Base):
    """An address to which events are sent, signed by the Standard Webhooks scheme.

    The address, in which a token may stand, and the signing secret lie in `secrets`.
    """

    __tablename__ = "event_subscribers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    host: Mapped[str]
    """All that is shown of the address: the name, and the port if it has one."""
    types: Mapped[list[str]] = mapped_column(JSON)
    """The event types it wants; empty: all of them."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: paused by a person, or stopped because it failed for too long."""
    last_event_id: Mapped[int]
    """Everything up to this one was sent."""
    failures: Mapped[int] = mapped_column(default=0)
    """In a row."""
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None]
    due_at: Mapped[datetime | None]
    """Not before this: when to try again, or when the lease of the process at work ends."""
    lease: Mapped[str | None]
    """A random word of that process; its writes count only while it matches."""
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
