from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class ExternalEntityMapping(TenantOwned, Base):
    """Asset ↔ agent. The agent is (integration, agent_id) and nothing else."""

    __tablename__ = "tenant_external_entity_mappings"
    __table_args__ = (
        UniqueConstraint("integration_id", "external_entity_id"),
        Index(None, "asset_id"),
        Index(None, "integration_id", "external_pk"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    external_entity_id: Mapped[str]
    """Tactical's `agent_id`."""
    external_realm_id: Mapped[str]
    """Tactical's client pk."""
    external_pk: Mapped[int | None]
    """Tactical's integer pk of the agent: the beta API and the software list know it by that."""
    entity_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    """`{"site_id": "2", "site_name": "HQ"}`"""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
