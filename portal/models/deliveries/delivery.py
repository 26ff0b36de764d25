from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

HAS_SETTLED_BODY = text("status <> 'pending' AND kept_bytes > 0")


class WebhookKey(TenantOwned, Base):
    """A secret that webhooks of one integration may carry.

    The secret itself lies encrypted in `secrets`; the digest, with a key of its own, is what
    intake compares: see `portal.services.webhook.digests`.
    """

    __tablename__ = "webhook_keys"
    __table_args__ = (Index(None, "tenant_id", "integration_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    digest: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    """None for the present secret; after a rotation, the end of the overlap."""
    last_used_at: Mapped[datetime | None]


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    PROCESSED = "processed"
    TEST = "test"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"


class Delivery(TenantOwned, Base):
    """One webhook call as received, stored before it is processed."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(None, "tenant_id", "received_at"),
        Index(None, "tenant_id", "status", "received_at"),
        Index(None, "status", "due_at"),
        # Partial: intake, which knows no alert yet, does not pay for it.
        Index(
            None,
            "alert_id",
            sqlite_where=text("alert_id IS NOT NULL"),
            postgresql_where=text("alert_id IS NOT NULL"),
        ),
        # The oldest bodies that may go.
        Index(
            "ix_webhook_deliveries_bodies",
            "tenant_id",
            "id",
            sqlite_where=HAS_SETTLED_BODY,
            postgresql_where=HAS_SETTLED_BODY,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    status: Mapped[DeliveryStatus] = mapped_column(default=DeliveryStatus.PENDING)
    reason: Mapped[str | None]
    """Why it needs review or failed, in words."""
    event: Mapped[str | None]
    """`trigger` or `resolve`."""
    external_alert_id: Mapped[str | None]
    agent_id: Mapped[str | None]
    hint: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The fields that were understood, as text; see `portal.tactical.webhook`."""
    body: Mapped[str]
    body_bytes: Mapped[int]
    """How long it was; `body` may be cut, or dropped."""
    kept_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    """How long `body` is, in UTF-8."""
    remote_address: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    """When to process it (again), or when the lease ends; None when there is nothing to do."""
    lease: Mapped[str | None]
    """A random word of the process that processes it; its writes count only while it matches."""
    attempts: Mapped[int] = mapped_column(default=0)
    processed_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    """How long the processing took."""
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("rmm_alerts.id", ondelete="SET NULL"))
    outcome: Mapped[str | None]
    """What it changed, in words."""

    @property
    def is_body_dropped(self) -> bool:
        """Whether its body had to make room for newer ones."""
        return self.body_bytes > 0 and not self.body


class AgentRefresh(TenantOwned, Base):
    """One agent that shall be synced once more, when it is due: it gathers a burst of alerts."""

    __tablename__ = "agent_refreshes"
    __table_args__ = (
        Index("uq_agent_refreshes_agent_id", "integration_id", "agent_id", unique=True),
        Index(None, "due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    agent_id: Mapped[str]
    due_at: Mapped[datetime]
