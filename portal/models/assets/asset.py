from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.organizations.client import Client

KNOWN_FOR = timedelta(hours=24)
"""How long a status counts that nobody has looked at since."""
UNKNOWN = "unknown"
LOCKS = {
    "name": "name_locked",
    "description": "description_locked",
    "asset_type": "asset_type_locked",
    "client_id": "client_locked",
}
"""Column to the flag that locks it: a person edited it by hand."""

_IS_MISSING = text("missing_since IS NOT NULL")
_IS_TOLD = text("serial_key IS NOT NULL")


class Asset(TenantOwned, Base):
    """The portal's record of a computer. An empty fact is NULL.

    Two moments, of our clock, say how new the stored facts are. Who brings something older leaves
    it alone: `status_at` goes for the status and all else that changes from minute to minute,
    `last_rmm_sync_at` for the rest. Each look at all of an agent moves both.
    """

    __tablename__ = "assets"
    __table_args__ = (
        UniqueConstraint("integration_id", "rmm_device_id"),
        Index(None, "tenant_id", "id"),
        # With the ids, so that a part of a name is looked for in it alone.
        Index("ix_assets_by_name", "tenant_id", "name", "id"),
        Index(None, "tenant_id", "client_id"),
        Index(None, "client_id"),
        Index(None, "integration_id", "rmm_organization_id"),
        # Without `status_at`: each look moves that, and would have to write all indexes anew.
        Index(None, "tenant_id", "agent_status"),
        # The choices of the list's filter.
        Index(None, "tenant_id", "os_type"),
        Index(
            "ix_assets_missing",
            "tenant_id",
            "id",
            sqlite_where=_IS_MISSING,
            postgresql_where=_IS_MISSING,
        ),
        Index(
            "ix_assets_serial_key",
            "tenant_id",
            "serial_key",
            sqlite_where=_IS_TOLD,
            postgresql_where=_IS_TOLD,
        ),
        {
            "sqlite_autoincrement": True,  # the id of one that is gone is given to no other
            # Each look writes all assets: half of a page is free for their next versions.
            "postgresql_with": {"fillfactor": 50},
        },
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
    """Tactical's word when it was last asked; time alone never changes it. For people and other
    programs there is `shown_status`."""
    status_at: Mapped[datetime]
    """When the request left that brought the word."""
    last_seen_at: Mapped[datetime | None]
    offline_minutes: Mapped[int | None]
    overdue_minutes: Mapped[int | None]
    serial_number: Mapped[str | None]
    serial_key: Mapped[str | None] = mapped_column(Computed("upper(trim(serial_number))"))
    """To find it by: the database makes it. Whether it is a real serial number is another thing."""
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
    """When the request left that brought all its facts: a status sweep does not move it."""
    software_read_at: Mapped[datetime | None]
    """When its list of software was last read; None before the first."""
    missing_since: Mapped[datetime | None]
    """Absent from complete listings since then."""
    absent_runs: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many complete device syncs in a row have not found its agent; 0 once it is seen."""
    retired_at: Mapped[datetime | None]
    """Kept, but out of counts and lists; only an asset that is missing is retired."""
    name_locked: Mapped[bool] = mapped_column(default=False)
    description_locked: Mapped[bool] = mapped_column(default=False)
    asset_type_locked: Mapped[bool] = mapped_column(default=False)
    client_locked: Mapped[bool] = mapped_column(default=False)
    """Edited by hand: a sync leaves the field alone until it is released."""
    note: Mapped[str | None]
    """What people should know of it, in lines of plain text. No sync knows of it."""
    note_at: Mapped[datetime | None]
    note_by: Mapped[str | None]
    """When it was written or deleted last, and by whom in words."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    client: Mapped[Client] = relationship()

    @property
    def shown_status(self) -> str:
        """The word, or `unknown` where nobody has looked for a day."""
        return to_shown_status(self.agent_status, self.status_at, utc_now())

    def uptime_at(self, now: datetime) -> timedelta | None:
        """How long the computer has been (online) or had been (otherwise) up."""
        return to_uptime(self.boot_time, self.shown_status, self.last_seen_at, now)


def to_shown_status(word: str, status_at: datetime, now: datetime) -> str:
    """As `Asset.shown_status`, of its columns."""
    return word if status_at >= now - KNOWN_FOR else UNKNOWN


def to_uptime(
    boot_time: datetime | None, shown_status: str, last_seen_at: datetime | None, now: datetime
) -> timedelta | None:
    """As `Asset.uptime_at`, of its columns."""
    until = now if shown_status == "online" else last_seen_at
    if boot_time is None or until is None or until < boot_time:
        return None
    return until - boot_time
