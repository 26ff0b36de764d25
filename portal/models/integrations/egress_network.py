from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class EgressNetwork(TenantOwned, Base):
    """A network that the operator opened to one tenant, beside those of the whole install."""

    __tablename__ = "egress_networks"
    __table_args__ = (UniqueConstraint("tenant_id", "network"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    network: Mapped[str]
    """As `ipaddress` writes it: `10.20.0.0/16`."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
