from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId, TenantOwned


class AgentSighting(TenantOwned, Base):
    """An agent that Tactical lists and that has no asset. Since when it has been there tells a
    re-installed computer from a cloned one."""

    __tablename__ = "agent_sightings"
    __table_args__ = (UniqueConstraint("integration_id", "agent_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    agent_id: Mapped[str]
    first_listed_at: Mapped[datetime]
    last_listed_at: Mapped[datetime]
    """Both by Tactical's clock."""
