from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

REVERTED = "reverted"
"""The kind of what a revert took back: it ends when Tactical's value changes. The others are those
of the ladder of identity."""
_IS_OPEN = text("settled_at IS NULL")


class Settlement(StrEnum):
    RELINK = "relink"
    """The older asset became the agent's; the younger one, if any, was removed."""
    MERGE = "merge"
    """The same, with all that the younger asset had."""
    SEPARATE = "separate"
    """They are two computers; remembered for good."""
    APPLY = "apply"
    """Of what a revert took back: Tactical's value is taken after all."""
    GONE = "gone"
    """What it was about is not so any more."""


class AssetConflict(TenantOwned, Base):
    """A question to a person about an agent: whether it is a computer that is known already, or
    whether what a revert took back shall come again. Settled ones are kept as the answer."""

    __tablename__ = "asset_conflicts"
    __table_args__ = (
        Index(None, "integration_id", "agent_id"),
        Index(None, "tenant_id", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index(None, "asset_id"),
        Index(None, "other_asset_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    kind: Mapped[str]
    """A Kind of the ladder of identity, or `reverted`."""
    agent_id: Mapped[str]
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    """The agent's own; None while it has none."""
    other_asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="CASCADE"))
    """The asset that may be its computer, the likeliest of those in the evidence."""
    reason: Mapped[str]
    """A full sentence for people."""
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    run_id: Mapped[int | None] = mapped_column(BigId)
    """The run that asked; it may be gone by now."""
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    """When a run last found it so."""
    settled_at: Mapped[datetime | None]
    settled_as: Mapped[Settlement | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
