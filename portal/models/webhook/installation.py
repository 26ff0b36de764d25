from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.leased import Leased


class InstallationAction(StrEnum):
    INSTALL = "install"
    REMOVE = "remove"
    TEST = "test"


class WebhookInstallation(TenantOwned, Leased, Base):
    """What the portal made at one Tactical server for its webhook, and the last action there.

    `made` is what a removal takes back, and nothing else: see `portal.services.webhook.plan`.
    """

    __tablename__ = "webhook_installations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE"), unique=True
    )
    made: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    wanted: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What the last action was asked for."""
    action: Mapped[InstallationAction] = mapped_column("deed")
    steps: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """Of the last action, each with `title`, `state` and `message`."""
    ok: Mapped[bool | None]
    """None while it waits or runs."""
    fault: Mapped[str | None]
    missing: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """The flags of Tactical's role that it lacked."""
    message: Mapped[str | None]
    test_delivery_id: Mapped[int | None]
    """Of the test that arrived; no foreign key, as deliveries are pruned."""
    requested_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
