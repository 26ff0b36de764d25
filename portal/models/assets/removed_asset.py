from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class RemovedAsset(TenantOwned, Base):
    """What an asset was before it was merged into another one or removed by a revert: enough to
    make it anew under its old id. Its address leads to the asset that it went into.

    Of one that a person deleted for good, only what lists of past days know is kept."""

    __tablename__ = "removed_assets"
    __table_args__ = (
        Index(None, "tenant_id", "asset_id"),
        Index(None, "run_id"),
        Index(None, "into_asset_id"),
        Index("ix_removed_assets_removed_at", "tenant_id", "removed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    asset_id: Mapped[int] = mapped_column(BigId)
    """The id that it had: no asset has it now."""
    into_asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    """None: it was removed, and not merged."""
    run_id: Mapped[int | None] = mapped_column(BigId)
    """None of one that was deleted for good."""
    removed_at: Mapped[datetime] = mapped_column(default=utc_now)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`{"asset": {column: value}, "entity": {…}, "alerts": [ids], "software": [{…}],
    "changes": [ids]}`"""
