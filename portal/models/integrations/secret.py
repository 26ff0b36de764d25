from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class Secret(TenantOwned, Base):
    """One encrypted value. Only `portal.vault` opens the envelope."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("tenant_id", "owner", "owner_id", "field"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    owner: Mapped[str]
    """The table of the row that the secret belongs to."""
    owner_id: Mapped[int]
    field: Mapped[str]
    envelope: Mapped[str]
    last_four: Mapped[str]
    """Empty for a value of which nothing is shown, or too short for it."""
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
