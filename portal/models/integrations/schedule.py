from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId, TenantOwned


class Schedule(TenantOwned, Base):
    """When a piece of work of an integration is due next.

    Claimed by an UPDATE that must change exactly one row, so that any number of
    schedulers start it once.
    """

    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("integration_id", "kind"), Index(None, "next_due_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    """A SyncKind, or the name of a job: `keep_alive`, `count_days`, `prune_deliveries`,
    `prune_events`, `prune_runs`."""
    every_seconds: Mapped[int]
    next_due_at: Mapped[datetime]
