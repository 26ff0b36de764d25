from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, BigId, TenantOwned, utc_now
from portal.models.client import Client


class Asset(TenantOwned, Base):
    """The portal's record of a computer. An empty fact is NULL.

    `agent_status` is what Tactical would have shown at `last_rmm_sync_at`.
    """

    __tablename__ = "assets"
    __table_args__ = (
        UniqueConstraint("integration_id", "rmm_device_id"),
        Index(None, "tenant_id", "name"),
        Index(None, "tenant_id", "agent_status"),
        Index(None, "tenant_id", "client_id"),
        Index(None, "client_id"),
        Index(None, "integration_id", "rmm_organization_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"))
    rmm_provider: Mapped[str]
    rmm_device_id: Mapped[str]
    """Tactical's `agent_id`, forty letters."""
    rmm_organization_id: Mapped[str]
    """Tactical's client pk."""
    site_id: Mapped[str | None]
    site_name: Mapped[str | None]
    name: Mapped[str]
    asset_type: Mapped[str]
    """`workstation` or `server`."""
    agent_status: Mapped[str]
    last_seen_at: Mapped[datetime | None]
    offline_minutes: Mapped[int | None]
    overdue_minutes: Mapped[int | None]
    serial_number: Mapped[str | None]
    os_type: Mapped[str | None]
    os_version: Mapped[str | None]
    agent_version: Mapped[str | None]
    make_model: Mapped[str | None]
    cpu: Mapped[str | None]
    ram_gb: Mapped[int | None]
    graphics: Mapped[str | None]
    physical_disks: Mapped[str | None]
    current_user: Mapped[str | None]
    boot_time: Mapped[datetime | None]
    lan_ip: Mapped[str | None]
    wan_ip: Mapped[str | None]
    description: Mapped[str | None]
    maintenance_mode: Mapped[bool | None]
    needs_reboot: Mapped[bool | None]
    last_rmm_sync_at: Mapped[datetime]
    missing_since: Mapped[datetime | None]
    """Absent from complete listings since then. Nothing is retired by itself."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    client: Mapped[Client] = relationship()

    def uptime_at(self, now: datetime) -> timedelta | None:
        """How long the computer has been (online) or had been (otherwise) up."""
        if self.boot_time is None:
            return None
        until = now if self.agent_status == "online" else self.last_seen_at
        if until is None or until < self.boot_time:
            return None
        return until - self.boot_time
