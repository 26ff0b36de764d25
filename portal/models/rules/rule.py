from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class AlertRule(TenantOwned, Base):
    """What is done about alerts that meet its conditions. A tenant's rules are tried in the order
    of `position`."""

    __tablename__ = "alert_rules"
    __table_args__ = (Index(None, "tenant_id", "position"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    position: Mapped[int]
    name: Mapped[str]
    go_on: Mapped[bool] = mapped_column(default=False)
    """Whether the rules after it are tried even if it matches."""
    conditions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    steps: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    switched_on_at: Mapped[datetime | None]
    """It acts on alerts that began after this; None while it is switched off."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
