from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.organizations.client import Client
from portal.models.organizations.company import NamesCompany


class OrganizationMapping(NamesCompany, TenantOwned, Base):
    """A Tactical Client as imported, and the client of ours it stands for, if any."""

    __tablename__ = "rmm_organization_mappings"
    __table_args__ = (
        UniqueConstraint("integration_id", "external_organization_id"),
        Index(None, "tenant_id", "integration_id"),
        Index(None, "client_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    external_organization_id: Mapped[str]
    external_organization_name: Mapped[str]
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"))
    auto_sync_assets: Mapped[bool] = mapped_column(default=True)
    ignored: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A person has said that it is to stay unmapped, and to be asked about no more."""
    agent_count: Mapped[int | None]
    """As Tactical last reported; None where the source does not say."""
    gone_since: Mapped[datetime | None]
    """Missing from complete listings since then."""
    held_since: Mapped[datetime | None]
    """The same, but it is in use as before: too many went at once, so that a person decides."""
    kept_at: Mapped[datetime | None]
    """When a person decided that one that is held stays in use until Tactical lists it again."""
    last_synced_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    client: Mapped[Client | None] = relationship()

    @validates("external_organization_name")
    def _read_name(self, _key: str, name: str) -> str:
        self.read_name(name)
        return name
