from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.leased import Leased


class ConnectionTest(TenantOwned, Leased, Base):
    """One test of an integration's connection, step by step."""

    __tablename__ = "connection_tests"
    __table_args__ = (Index(None, "integration_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """Each `{"name", "title", "state", "message", "fault", "field"}`, in order."""
    ok: Mapped[bool | None]
    """None while it is waiting or running."""
    fault: Mapped[str | None]
    field: Mapped[str | None]
    message: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
