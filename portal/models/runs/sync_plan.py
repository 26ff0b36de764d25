from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class PlanStatus(StrEnum):
    GROWING = "growing"
    """Its run is still at work, or broke off."""
    OPEN = "open"
    """A person may apply or decline it."""
    APPLIED = "applied"
    DECLINED = "declined"
    REPLACED = "replaced"
    """By a newer one of the same connection."""


class PlanOrigin(StrEnum):
    PREVIEW = "preview"
    BRAKE = "brake"
    """A run that would have taken too many assets away left this to a person."""


class PlanAction(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    RELINK = "relink"
    """A known computer came back under another agent_id: its asset becomes the agent's."""
    WAITING = "waiting"
    """It may be a known computer; a later look decides."""
    CONFLICT = "conflict"
    """An asset of its own is made, and a person is asked whether it is a known computer."""
    MISSING = "missing"
    RETURNED = "returned"
    SKIPPED = "skipped"
    FAILED = "failed"
    """A record that cannot be read: nothing can be applied."""


APPLICABLE = (
    PlanAction.CREATE,
    PlanAction.UPDATE,
    PlanAction.MOVE,
    PlanAction.RELINK,
    PlanAction.CONFLICT,
    PlanAction.MISSING,
    PlanAction.RETURNED,
)


class SyncPlan(TenantOwned, Base):
    """What a device sync would do, kept until a person decides; for a day."""

    __tablename__ = "sync_plans"
    __table_args__ = (
        Index(None, "tenant_id", "id"),
        Index(None, "integration_id"),
        Index(None, "run_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    """The run that made it."""
    origin: Mapped[PlanOrigin]
    status: Mapped[PlanStatus] = mapped_column(default=PlanStatus.GROWING)
    reason: Mapped[str | None]
    """Why it waits for a person, as a sentence; None of a preview."""
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]

    @property
    def can_be_applied(self) -> bool:
        return self.status is PlanStatus.OPEN and self.expires_at > utc_now()


class SyncPlanRow(TenantOwned, Base):
    """What would be done about one agent."""

    __tablename__ = "sync_plan_rows"
    __table_args__ = (
        Index(None, "plan_id", "id"),
        Index(None, "plan_id", "action"),
        Index(None, "plan_id", "agent_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("sync_plans.id", ondelete="CASCADE"))
    action: Mapped[PlanAction]
    agent_id: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str | None]
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`{"name": ["old", "new"]}`: as JSON has them, a client by its id."""
    chosen: Mapped[bool] = mapped_column(default=False)
    """A person wants it applied."""
    outcome: Mapped[str | None]
    """What became of a chosen row: `applied`, or why it was not, as a sentence."""
