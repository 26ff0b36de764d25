from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId, TenantOwned


class AssetTag(TenantOwned, Base):
    """A word that people put on an asset, in lower case."""

    __tablename__ = "asset_tags"
    __table_args__ = (UniqueConstraint("asset_id", "tag"), Index(None, "tenant_id", "tag"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    tag: Mapped[str]
    added_at: Mapped[datetime | None]
    """When a person put it on; None: long ago, or it came from elsewhere."""
