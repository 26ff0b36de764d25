from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.accounts.user import Membership

_IS_DUE_LATER = text("due_at IS NOT NULL")


class HandlingState(StrEnum):
    UNDECIDED = "undecided"
    """No rule was tried yet, or one waits until the alert has lasted long enough."""
    HELD = "held"
    """A maintenance window keeps it silent."""
    ACTED = "acted"
    """A rule matched, and its steps are being taken."""
    IGNORED = "ignored"
    """A rule says that nobody is to be told."""
    SILENT = "silent"
    """Nobody is told; `reason` says why: no rule matched, or it was over when first read."""


class AlertHandling(TenantOwned, Base):
    """What the portal does about one occurrence of an alert: whom it tells, and who has taken it.

    Written in the transaction that brings the news. One process at a time works at it.
    """

    __tablename__ = "alert_handlings"
    __table_args__ = (
        UniqueConstraint("alert_id", "occurrence"),
        Index(None, "window_id"),
        Index(None, "rule_id"),
        Index(None, "assigned_to"),
        Index(None, "tenant_id", "began_at"),
        Index(None, "tenant_id", "over_at"),
        # Lists of alerts look at it for each: whether it was acknowledged, and by its id, which
        # SQLite has in every index, whether it has a ticket.
        Index(
            "ix_alert_handlings_present",
            "tenant_id",
            "alert_id",
            "occurrence",
            "acknowledged_at",
            postgresql_include=["id"],
        ),
        Index(
            "ix_alert_handlings_due",
            "tenant_id",
            "due_at",
            sqlite_where=_IS_DUE_LATER,
            postgresql_where=_IS_DUE_LATER,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("rmm_alerts.id", ondelete="CASCADE"))
    occurrence: Mapped[int]
    """Which one of the alert's: its `occurrences` at that time."""
    state: Mapped[HandlingState] = mapped_column(default=HandlingState.UNDECIDED)
    reason: Mapped[str | None]
    """Why nobody is told, in words."""
    began_at: Mapped[datetime]
    """When the alert was triggered, as Tactical says."""
    noticed_at: Mapped[datetime] = mapped_column(default=utc_now)
    """When the portal wrote that down."""
    over_at: Mapped[datetime | None]
    """When this occurrence was resolved."""
    reopened: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often a webhook said that it is over when it was not. Its messages begin anew then."""
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("alert_rules.id", ondelete="SET NULL"))
    """The rule that decided; the first of them, where several act."""
    rule_name: Mapped[str | None]
    """Its name then."""
    explanation: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """Each rule that was tried, in order, and why it matched or did not."""
    window_id: Mapped[int | None] = mapped_column(
        ForeignKey("maintenance_windows.id", ondelete="SET NULL")
    )
    """The window that keeps, or kept, it silent."""
    window_name: Mapped[str | None]
    held_until: Mapped[datetime | None]
    """When that window ends, or ended. From then on it counts as if it had begun then."""
    urgency: Mapped[str | None]
    """`low`, `normal`, `high` or `critical`, as a rule says."""
    plan: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """Steps that are still to come: reminders, escalations, each with its time."""
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    """A person's address, or the channel whose link was pressed."""
    acknowledgement: Mapped[str | None]
    """The note that was written with it."""
    assigned_to: Mapped[int | None] = mapped_column(
        ForeignKey("memberships.id", ondelete="SET NULL")
    )
    due_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    """When to look at it (again); None when there is nothing to do."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Looks at it, in a row, that could not decide."""

    assignee: Mapped[Membership | None] = relationship(viewonly=True, lazy="raise")
    """Where a statement asks for it; None also for whoever is limited to some clients."""
