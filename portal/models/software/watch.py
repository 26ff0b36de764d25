from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.assets.asset import Asset
from portal.models.organizations.client import Client
from portal.models.software.inventory import SoftwareProduct


class SoftwareWatch(TenantOwned, Base):
    """A question about a product that is asked again whenever installs of it have changed: which
    assets have it, or have it in a version older than one."""

    __tablename__ = "software_watches"
    __table_args__ = (
        Index(None, "tenant_id"),
        Index(None, "product_id"),
        Index(None, "client_id"),
        {"sqlite_autoincrement": True},  # the id of one that is gone is given to no other
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("software_products.id", ondelete="CASCADE"))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    """Whose assets; None: everybody's."""
    older_than: Mapped[str] = mapped_column(default="", server_default=sql.literal(""))
    """A version; empty: any version matches."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: it is switched off, and nothing matches it."""
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    product: Mapped[SoftwareProduct] = relationship()
    client: Mapped[Client | None] = relationship()


class SoftwareMatch(TenantOwned, Base):
    """An asset that matches a watch now: an event has told of it, and another tells when it does
    no longer."""

    __tablename__ = "software_matches"
    __table_args__ = (UniqueConstraint("watch_id", "asset_id"), Index(None, "asset_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    watch_id: Mapped[int] = mapped_column(ForeignKey("software_watches.id", ondelete="CASCADE"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    version: Mapped[str]
    """The oldest one that matches; empty where none is known."""
    since: Mapped[datetime]

    asset: Mapped[Asset] = relationship()
