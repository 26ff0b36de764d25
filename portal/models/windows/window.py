from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class MaintenanceWindow(TenantOwned, Base):
    """A time, once or again and again, in which alerts of its scope are kept silent.

    Times are those of a clock on the wall in `zone`: a window from 22:00 to 06:00 ends at 06:00
    also in the night in which clocks change.
    """

    __tablename__ = "maintenance_windows"
    __table_args__ = (Index(None, "tenant_id", "over_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    zone: Mapped[str]
    """A name of the IANA database, such as `Europe/Berlin`."""
    starts: Mapped[str]
    """The first start, without a zone: `2026-11-28T22:00`."""
    minutes: Mapped[int]
    """How long it is by the clock on the wall."""
    repeats: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """How it comes again; empty: it comes once."""
    scope: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What it keeps silent; empty: everything."""
    over_at: Mapped[datetime | None]
    """When it ends, or ended, for good; None for one that comes again without an end."""
    ended_at: Mapped[datetime | None]
    """When a person ended an occurrence before its time: the one that was in force then."""
    deleted_at: Mapped[datetime | None]
    """It keeps nothing silent since then; the row stays for the list of what it kept back."""
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)


class CalendarFeed(TenantOwned, Base):
    """A link by which a calendar program reads the windows to come, until it is revoked."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (Index(None, "tenant_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    token_digest: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Whose it is: it shows no more than that person may see."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]
