"""Device syncs of a connection that is new or was changed: a person looks at a preview first.

Until then the schedule waits. What a person starts by button or command does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one, db
from portal.models import Integration, OrganizationMapping, Schedule, SyncPlan, SyncRun
from portal.models.integrations.integration import IntegrationState, PreviewReason
from portal.models.runs.sync_plan import PlanStatus
from portal.models.runs.sync_run import SyncKind
from portal.services.integrations.schedules import next_due

_WEIGHT: Final = list(PreviewReason)
"""The one that tells most comes first."""
_WHY: Final = {
    PreviewReason.FIRST_SYNC: "This connection is new.",
    PreviewReason.NEW_SERVER: "The portal was connected to another server.",
    PreviewReason.NEW_SOURCE: "The inventory source was changed.",
    PreviewReason.NEW_CREDENTIALS: "The credentials were changed.",
}


@dataclass(frozen=True, slots=True)
class PendingPreview:
    """What a person is to do, for pages."""

    reason: PreviewReason
    plan_id: int | None
    """A plan that waits for a decision; None: there is no preview yet."""
    schedule_waits: bool
    """False where device syncs are not scheduled at all."""

    @property
    def why(self) -> str:
        """As a sentence."""
        return _WHY[self.reason]


def require_preview(integration: Integration, reason: PreviewReason) -> None:
    """Plans and syncs from before this moment do not count."""
    known = integration.preview_due or reason
    integration.preview_due = min(known, reason, key=_WEIGHT.index)
    integration.preview_due_at = utc_now()


def clear_preview_due(session: Session, integration_id: int, looked_at: datetime | None) -> bool:
    """A person decided on what Tactical was at `looked_at`, or synced then. False, and nothing,
    when the connection has changed since.

    The schedule goes on with its next turn, not with those that it missed: whoever declined a
    plan has time to mend what is wrong.
    """
    is_cleared = changed_one(
        session,
        update(Integration)
        .where(
            Integration.id == integration_id,
            Integration.preview_due.is_not(None),
            Integration.preview_due_at <= looked_at,
        )
        .values(preview_due=None, preview_due_at=None),
    )
    schedule = session.scalar(
        select(Schedule).filter_by(integration_id=integration_id, kind=SyncKind.DEVICES)
    )
    if is_cleared and schedule is not None and schedule.next_due_at <= utc_now():
        schedule.next_due_at = next_due(schedule.every_seconds, integration_id)
    return is_cleared


def find_look(session: Session, plan_id: int) -> datetime | None:
    """When the run began that made the plan."""
    made_by = SyncPlan.run_id == SyncRun.id
    return session.scalar(
        select(SyncRun.started_at).join(SyncPlan, made_by).where(SyncPlan.id == plan_id)
    )


def goes_on() -> ColumnElement[bool]:
    """In SQL: whether a schedule of an integration does not wait for a preview."""
    return or_(Schedule.kind != SyncKind.DEVICES, Integration.preview_due.is_(None))


def find_pending_preview(integration: Integration | None) -> PendingPreview | None:
    """None where nothing is to be looked at, or no device can be synced yet."""
    if integration is None or integration.state is not IntegrationState.ACTIVE:
        return None
    if integration.preview_due is None:
        return None
    plan = (
        select(SyncPlan.id)
        .join(SyncRun, SyncRun.id == SyncPlan.run_id)
        .where(
            SyncPlan.integration_id == integration.id,
            SyncPlan.status == PlanStatus.OPEN,
            SyncPlan.expires_at > utc_now(),
            SyncRun.started_at >= integration.preview_due_at,
        )
        .limit(1)
    )
    mapped = exists().where(
        OrganizationMapping.integration_id == integration.id,
        OrganizationMapping.client_id.is_not(None),
    )
    plan_id, any_mapped = db.session.execute(select(plan.scalar_subquery(), mapped)).one()
    if not any_mapped:
        return None
    return PendingPreview(integration.preview_due, plan_id, integration.device_sync_minutes > 0)
