from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId, TenantOwned


class DailyCount(TenantOwned, Base):
    """What a client had when a day was over, and what came about on it; written the night after.

    A day that was counted has a row for each client of the tenant, and one without a client for
    what belongs to none. Nobody can say later what stood when nobody looked: in the rows of a
    missed night the columns of assets are NULL, but for types, which the history of assets tells.
    """

    __tablename__ = "daily_counts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "day", "client_id"),
        Index(None, "client_id", "day"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    day: Mapped[date]
    """By this machine's local time, as all that is done once a day."""
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id", ondelete="SET NULL"))
    """NULL also for one that was deleted since: the tenant's own past stays as it was."""
    online: Mapped[int | None]
    offline: Mapped[int | None]
    overdue: Mapped[int | None]
    unknown: Mapped[int | None]
    missing: Mapped[int | None]
    """These are in none of the other counts of assets; retired ones are in none at all."""
    workstation: Mapped[int | None]
    server: Mapped[int | None]
    reboots_due: Mapped[int | None]
    installs: Mapped[int | None]
    """Of software, a title's version on an asset being one."""
    raised_error: Mapped[int]
    raised_warning: Mapped[int]
    raised_info: Mapped[int]
    resolved_error: Mapped[int]
    resolved_warning: Mapped[int]
    resolved_info: Mapped[int]
    """Of alerts: one that was raised or resolved several times that day counts each time."""
