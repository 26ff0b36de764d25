from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

KEPT_FOR = timedelta(days=1)


class RevertPage(TenantOwned, Base):
    """One page of what taking a run back would do, as it was planned when somebody looked.
    Each page tells how many records there are on all."""

    __tablename__ = "revert_pages"
    __table_args__ = (Index(None, "run_id", "number"), Index(None, "made_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    """The run that would be taken back."""
    number: Mapped[int]
    total: Mapped[int]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    """By RevertAction."""
    kept: Mapped[int]
    records: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """The fields of an AssetRevert each."""
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
