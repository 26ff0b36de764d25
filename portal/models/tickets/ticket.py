from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

IS_LIVE = text("status IN ('waiting', 'open', 'unsure')")
_WAITS = text("status = 'waiting'")
_IS_OPEN = text("status = 'open'")
_IS_CLOSED = text("status = 'closed'")


class TicketStatus(StrEnum):
    WAITING = "waiting"
    """Not opened yet."""
    OPEN = "open"
    CLOSED = "closed"
    UNSURE = "unsure"
    """The answer to opening it was lost, and the helpdesk cannot be asked: a person must look."""
    FAILED = "failed"
    """It was not opened, or not opened again: refused, given up, or its helpdesk switched off."""
    GONE = "gone"
    """Deleted in the helpdesk, out of our sight, or merged into another of our tickets."""


LIVE = (TicketStatus.WAITING, TicketStatus.OPEN, TicketStatus.UNSURE)
"""Of one outage, at most one in a helpdesk."""


class ClosedBy(StrEnum):
    PORTAL = "portal"
    HELPDESK = "helpdesk"


class Ticket(TenantOwned, Base):
    """One ticket in a helpdesk, and the outage that it stands for."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index(
            "uq_tickets_live",
            "helpdesk_id",
            "outage",
            unique=True,
            sqlite_where=IS_LIVE,
            postgresql_where=IS_LIVE,
        ),
        Index(
            "ix_tickets_open",
            "helpdesk_id",
            "id",
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index(
            "ix_tickets_closed",
            "helpdesk_id",
            "closed_at",
            sqlite_where=_IS_CLOSED,
            postgresql_where=_IS_CLOSED,
        ),
        Index(None, "helpdesk_id", "outage"),
        Index("ix_tickets_reference", "helpdesk_id", "reference"),
        Index(None, "tenant_id", "status", "id"),
        Index(None, "tenant_id", "id"),
        Index(None, "asset_id"),
        Index(None, "client_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    helpdesk_id: Mapped[int] = mapped_column(ForeignKey("helpdesks.id", ondelete="CASCADE"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id", ondelete="SET NULL"))
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"))
    outage: Mapped[str]
    """What it stands for while it is open: `asset 12 check 34`, `asset 12`, `client 5` …"""
    key: Mapped[str]
    """By which the helpdesk finds it."""
    queue: Mapped[str]
    """As the helpdesk calls it, like the two that follow."""
    customer_id: Mapped[str] = mapped_column(default="")
    priority: Mapped[str] = mapped_column(default="")
    """Empty: the helpdesk's own default."""
    urgency: Mapped[str] = mapped_column(default="normal")
    """`low`, `normal`, `high` or `critical`, for a helpdesk that has no priorities."""
    subject: Mapped[str]
    body: Mapped[str]
    page: Mapped[str] = mapped_column(default="")
    """The page of the portal that it is about: an address."""
    status: Mapped[TicketStatus] = mapped_column(default=TicketStatus.WAITING)
    reference: Mapped[str | None]
    """By which the helpdesk, and people, call it; None: it is not known to be there."""
    url: Mapped[str | None]
    """Its page in the helpdesk."""
    touched_by: Mapped[str | None]
    """Somebody who did something to it there, other than the portal."""
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[ClosedBy | None]
    read_at: Mapped[datetime | None]
    """When the helpdesk last told its state."""
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class TicketAlert(TenantOwned, Base):
    """An occurrence of an alert that hangs on a ticket."""

    __tablename__ = "ticket_alerts"
    __table_args__ = (
        UniqueConstraint("ticket_id", "handling_id"),
        Index(None, "handling_id"),
        Index("ix_ticket_alerts_of_alerts", "tenant_id", "alert_id", "occurrence"),
        Index(None, "alert_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    handling_id: Mapped[int] = mapped_column(ForeignKey("alert_handlings.id", ondelete="CASCADE"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("rmm_alerts.id", ondelete="CASCADE"))
    occurrence: Mapped[int]
    """The handling's, like the alert: alerts are told apart by whether they have a ticket without
    a look at all handlings."""
    linked_by: Mapped[str | None]
    """A person's address; None: a rule."""
    linked_at: Mapped[datetime] = mapped_column(default=utc_now)
    is_over: Mapped[bool] = mapped_column(default=False)
    """What the ticket was told last of it, or is about to be."""


class TaskVerb(StrEnum):
    OPEN = "open"
    COMMENT = "comment"
    CLOSE = "close"
    REOPEN = "reopen"


class TaskStatus(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    DROPPED = "dropped"
    """Not needed any more, or the helpdesk was switched off; `answer` says which."""
    FAILED = "failed"
    """Tried for a day, or refused for good."""
    UNSURE = "unsure"
    """The answer was lost, and the helpdesk cannot be asked whether it was done."""


class TicketTask(TenantOwned, Base):
    """One thing that is to be done to a ticket, once. Those of a ticket are done in order.

    Written in the transaction of what it comes from, and done later. `key` is what makes it the
    only one of its kind.
    """

    __tablename__ = "ticket_tasks"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index(None, "ticket_id", "id"),
        Index(None, "helpdesk_id"),
        Index(None, "handling_id"),
        Index(
            "ix_ticket_tasks_waiting",
            "helpdesk_id",
            "attempts",
            "id",
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    helpdesk_id: Mapped[int] = mapped_column(ForeignKey("helpdesks.id", ondelete="CASCADE"))
    """Its ticket's."""
    handling_id: Mapped[int | None] = mapped_column(
        ForeignKey("alert_handlings.id", ondelete="SET NULL")
    )
    verb: Mapped[TaskVerb]
    key: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    """Of a comment, or of that which goes with a change of state."""
    status: Mapped[TaskStatus] = mapped_column(default=TaskStatus.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    """Begun ones: written before the helpdesk hears anything."""
    begun_at: Mapped[datetime | None]
    """When the last attempt began whose outcome is not written yet."""
    lost_at: Mapped[datetime | None]
    """Of opening a ticket that can be looked for: when the last attempt began that may have been
    carried out, however late. Kept once a later one has succeeded: there may be a double."""
    answer: Mapped[str | None]
    """What the helpdesk said last, in words."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    settled_at: Mapped[datetime | None]
