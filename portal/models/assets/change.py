from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.accounts.user import User

_HAS_RUN = text("run_id IS NOT NULL")
OF_LISTS = text(
    "\"column\" IN ('', 'name', 'client_id', 'asset_type', 'site_name', 'os_type', 'serial_number',"
    " 'description', 'rmm_device_id', 'missing_since', 'retired_at')"
    " AND action NOT IN ('created', 'released')"
)
"""Changes of what lists and counts know of assets: few beside those of users and addresses. They
are asked for in these words, by which both databases know the index."""


class ChangeAction(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    MOVED = "moved"
    """To another client, or to another organization of Tactical's."""
    MISSING = "missing"
    RETURNED = "returned"
    RELINKED = "relinked"
    """Its computer came back under another agent_id."""
    MERGED = "merged"
    """Another asset turned out to be the same computer and went into this one."""
    RETIRED = "retired"
    RESTORED = "restored"
    REVERTED = "reverted"
    """Something that another run had done was taken back."""
    EDITED = "edited"
    """By a person; the sync leaves the column alone since."""
    NOTED = "noted"
    """A person wrote, changed or deleted its note."""
    RELEASED = "released"
    """To the sync, by a person."""


class AssetChange(TenantOwned, Base):
    """The history of assets: what became of one column, and by what. Status and times of looks,
    which every look moves, are not in it. It outlives the runs that it names."""

    __tablename__ = "asset_changes"
    __table_args__ = (
        Index(None, "asset_id", "id"),
        Index(None, "tenant_id", "id"),
        Index(None, "user_id"),
        Index(
            "ix_asset_changes_run_id_asset_id",
            "run_id",
            "asset_id",
            sqlite_where=_HAS_RUN,
            postgresql_where=_HAS_RUN,
        ),
        Index(
            "ix_asset_changes_of_lists",
            "tenant_id",
            "at",
            sqlite_where=OF_LISTS,
            postgresql_where=OF_LISTS,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    action: Mapped[ChangeAction]
    column: Mapped[str] = mapped_column(default="")
    """Empty where the asset as a whole is meant: it was created."""
    before: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    after: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    """As JSON has them: a moment is text."""
    cause: Mapped[str]
    """As a run's trigger: `button`, `schedule`, `command`, `webhook`; or `person`."""
    run_id: Mapped[int | None] = mapped_column(BigId)
    """Of a sync run, which may be gone by now."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(default=utc_now)

    user: Mapped[User | None] = relationship()
