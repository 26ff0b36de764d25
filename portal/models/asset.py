from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, and_, case, or_
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, BigId, TenantOwned, utc_now
from portal.models.client import Client


class Asset(TenantOwned, Base):
    """The portal's record of a computer. An empty fact is NULL.

    `agent_status` follows from the time of reading, in Python and in SQL.
    """

    __tablename__ = "assets"
    __table_args__ = (
        UniqueConstraint("integration_id", "rmm_device_id"),
        Index(None, "tenant_id", "name"),
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
    reported_status: Mapped[str]
    """What Tactical said, or would have said, at `last_rmm_sync_at`."""
    last_seen_at: Mapped[datetime | None]
    offline_minutes: Mapped[int | None]
    overdue_minutes: Mapped[int | None]
    online_until: Mapped[datetime | None]
    overdue_from: Mapped[datetime | None]
    """Last seen plus the two limits, by our clock; None where a limit is not known."""
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
    software_read_at: Mapped[datetime | None]
    """When its list of software was last read; None before the first."""
    missing_since: Mapped[datetime | None]
    """Absent from complete listings since then. Nothing is retired by itself."""
    name_locked: Mapped[bool] = mapped_column(default=False)
    description_locked: Mapped[bool] = mapped_column(default=False)
    asset_type_locked: Mapped[bool] = mapped_column(default=False)
    client_locked: Mapped[bool] = mapped_column(default=False)
    """Edited by hand: a sync leaves the field alone until it is released."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    client: Mapped[Client] = relationship()

    @hybrid_property
    def agent_status(self) -> str:
        """Tactical's rule on what is stored; its own word where it tells no limits."""
        now = utc_now()
        if self.online_until is None or self.overdue_from is None:
            return self.reported_status
        if self.online_until < now < self.overdue_from:
            return "offline"
        if now > self.online_until and now > self.overdue_from:
            return "overdue"
        return "online"

    @agent_status.inplace.expression
    @classmethod
    def _agent_status_in_sql(cls) -> ColumnElement[str]:
        now = utc_now()
        return case(
            (or_(cls.online_until.is_(None), cls.overdue_from.is_(None)), cls.reported_status),
            (and_(cls.online_until < now, cls.overdue_from > now), "offline"),
            (and_(cls.online_until < now, cls.overdue_from < now), "overdue"),
            else_="online",
        )

    def uptime_at(self, now: datetime) -> timedelta | None:
        """How long the computer has been (online) or had been (otherwise) up."""
        if self.boot_time is None:
            return None
        until = now if self.agent_status == "online" else self.last_seen_at
        if until is None or until < self.boot_time:
            return None
        return until - self.boot_time
