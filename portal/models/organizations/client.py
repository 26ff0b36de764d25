from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.organizations.company import NamesCompany


def name_key(name: str) -> str:
    """What makes two names the same: case and blanks do not matter."""
    return " ".join(name.casefold().split())


class Client(NamesCompany, TenantOwned, Base):
    """The MSP's customer, a company."""

    __tablename__ = "clients"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name_key"),
        Index("ix_clients_company_plain", "tenant_id", "company_plain", "company_forms"),
        Index("ix_clients_company_full", "tenant_id", "company_full", "company_plain"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @validates("name")
    def _set_name_key(self, _key: str, name: str) -> str:
        self.name_key = name_key(name)
        self.read_name(name)
        return name
