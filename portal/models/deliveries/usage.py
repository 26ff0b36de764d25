from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId, TenantOwned


class WebhookUsage(TenantOwned, Base):
    """How much a tenant's webhook sends and takes up; one row, written with its deliveries.

    `refused`, `refused_from` and `refused_until` describe the last storm that was too much.
    """

    __tablename__ = "webhook_usage"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    body_bytes: Mapped[int] = mapped_column(default=0)
    """The sum of its deliveries' `kept_bytes`."""
    busy_until: Mapped[float] = mapped_column(Float(53), default=0.0)
    """In seconds since 1970: when all that it sent would have come, had it kept to the rate."""
    refused: Mapped[int] = mapped_column(default=0)
    refused_from: Mapped[datetime | None]
    refused_until: Mapped[datetime | None]
    must_reconcile: Mapped[bool] = mapped_column(default=False)
    """Until a reconciliation of alerts that began after the storm has ended well."""
