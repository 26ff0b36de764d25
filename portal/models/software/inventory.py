from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.assets.asset import Asset

_IS_INSTALLED = text("removed_at IS NULL")
_IS_REMOVED = text("removed_at IS NOT NULL")


class SoftwareTitle(TenantOwned, Base):
    """A title of one publisher, as anything in the fleet has or had it.

    The two counts are brought up to date at the end of each ingest: counting a million rows
    while somebody waits takes too long.
    """

    __tablename__ = "software_catalog"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id",
            "normalized_name",
            "normalized_publisher",
            name="uq_software_catalog_title",
        ),
        Index(None, "tenant_id", "asset_count"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    """As most agents spell it."""
    normalized_name: Mapped[str]
    """Without differences of case, width and blanks."""
    publisher: Mapped[str] = mapped_column(default="")
    """As most agents spell it; empty where none reports it."""
    normalized_publisher: Mapped[str] = mapped_column(default="")
    asset_count: Mapped[int] = mapped_column(default=0)
    version_count: Mapped[int] = mapped_column(default=0)
    """On how many assets, and in how many versions, it is installed now."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AssetSoftware(TenantOwned, Base):
    """One version of a title on one asset, now or in the past.

    When the asset's list was last read stands on the asset, once: `software_read_at`.
    """

    __tablename__ = "asset_software"
    __table_args__ = (
        UniqueConstraint("asset_id", "title_id", "version"),
        # For the foreign key: without it, each title that goes is looked for in every row.
        Index(None, "title_id"),
        Index(
            "ix_asset_software_installed",
            "title_id",
            "version",
            "asset_id",
            sqlite_where=_IS_INSTALLED,
            postgresql_where=_IS_INSTALLED,
        ),
        Index(
            "ix_asset_software_removed",
            "title_id",
            "version",
            "asset_id",
            sqlite_where=_IS_REMOVED,
            postgresql_where=_IS_REMOVED,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    title_id: Mapped[int] = mapped_column(ForeignKey("software_catalog.id", ondelete="CASCADE"))
    version: Mapped[str]
    """Empty where the agent reports none."""
    installed_on: Mapped[date | None]
    first_seen_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    """When the asset's list no longer had it; None while it is installed."""

    title: Mapped[SoftwareTitle] = relationship()
    asset: Mapped[Asset] = relationship()
