from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, sql, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.assets.asset import Asset

_BLANK, _ZERO = sql.literal(""), text("0")
_IS_INSTALLED = text("removed_at IS NULL")
_IS_REMOVED = text("removed_at IS NOT NULL")


class SoftwareProduct(TenantOwned, Base):
    """What titles are of that differ only in a version, an architecture or a language.

    Its counts, like those of titles, are brought up to date when installs have changed.
    """

    __tablename__ = "software_products"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "name_key", "publisher_key", name="uq_software_products_product"
        ),
        Index(None, "tenant_id", "asset_count"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    """The same for all spellings, as `portal.product_names` folds them."""
    publisher: Mapped[str] = mapped_column(default="", server_default=_BLANK)
    publisher_key: Mapped[str] = mapped_column(default="", server_default=_BLANK)
    asset_count: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    install_count: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    """An asset may have several versions of it."""
    version_count: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    newest_version: Mapped[str] = mapped_column(default="", server_default=_BLANK)
    """That is installed anywhere; empty where no version is known."""
    older_count: Mapped[int] = mapped_column(default=0, server_default=_ZERO)
    """How many of the installs are older than that."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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
        Index(None, "product_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int | None] = mapped_column(
        ForeignKey("software_products.id", ondelete="SET NULL")
    )
    """None until the end of the run that found it."""
    named_version: Mapped[str] = mapped_column(default="", server_default=_BLANK)
    """That its name tells: for installs of which nothing else does."""
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

    @property
    def shown_version(self) -> str:
        """What the agent reports, or else what the title's name tells."""
        return self.version or self.title.named_version
