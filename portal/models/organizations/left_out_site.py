from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId, TenantOwned


class LeftOutSite(TenantOwned, Base):
    """A site whose agents Tactical fails to list, so that it is not asked for a while."""

    __tablename__ = "rmm_left_out_sites"
    __table_args__ = (UniqueConstraint("integration_id", "external_site_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("rmm_integrations.id", ondelete="CASCADE")
    )
    external_site_id: Mapped[int] = mapped_column(BigId)
    """Tactical's pk of the site."""
    failed_at: Mapped[datetime]
