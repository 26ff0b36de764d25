from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class SupersededAgent(TenantOwned, Base):
    """An agent_id that an asset had before its computer was re-installed. It leads to the asset
    for good: Tactical goes on to list the old agent until somebody deletes it."""

    __tablename__ = "superseded_agents"
    __table_args__ = (
        UniqueConstraint("integration_id", "agent_id"),
        Index(None, "asset_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    agent_id: Mapped[str]
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(BigId)
    """The run that relinked or merged; it may be gone by now."""
    superseded_at: Mapped[datetime] = mapped_column(default=utc_now)
    """By Tactical's clock."""
    revived_at: Mapped[datetime | None]
    """It has checked in again since, and is an agent like any other."""
