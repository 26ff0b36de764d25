"""How old the status of agents is, how old it may be, and why it is older."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from portal.clock import utc_now
from portal.db import db
from portal.models import Integration, Schedule, SyncRun
from portal.models.assets.asset import KNOWN_FOR
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.runs.history import last_finished_id

STATUS_READS = (SyncKind.STATUS, SyncKind.DEVICES)
"""The runs that read the status of the whole fleet, the most frequent first."""
INTERVALS = 2
"""One read may come late."""
LEAST = timedelta(minutes=5)

_WHY = {
    RunStatus.QUEUED: "The next sync is waiting for a worker.",
    RunStatus.RUNNING: "The next sync is running.",
    RunStatus.SUCCESS: "A sync has just ended.",
    RunStatus.PARTIAL: "A sync has just ended.",
    RunStatus.FAILED: "The last sync failed: {error}",
    RunStatus.CANCELLED: "The last sync was cancelled.",
}


def get_stale_before() -> datetime:
    """A status from before this moment is stale: by now there should be a newer one."""
    return stale_before(db.session.scalar(select(status_read_seconds())))


def stale_before(seconds: int | None) -> datetime:
    """The same, of the seconds between two reads.

    Without regular reads (they are switched off, or the server is disconnected) that is soon.
    """
    interval = timedelta(seconds=seconds or 0)
    return utc_now() - min(max(INTERVALS * interval, LEAST), KNOWN_FOR)


def status_read_seconds() -> ColumnElement[int | None]:
    """Seconds between two reads of the status, in SQL; null when there are no regular ones."""
    return func.coalesce(
        *(
            select(func.min(Schedule.every_seconds)).where(Schedule.kind == kind).scalar_subquery()
            for kind in STATUS_READS
        )
    )


def read_freshness() -> tuple[datetime, datetime | None]:
    """`get_stale_before`, and when the status of the whole fleet was last asked for."""
    last = (
        select(SyncRun.started_at).where(SyncRun.id == last_finished_id(kind)).scalar_subquery()
        for kind in STATUS_READS
    )
    seconds, *begun = db.session.execute(select(status_read_seconds(), *last)).one()
    return stale_before(seconds), max((moment for moment in begun if moment), default=None)


def newest_status_read(last: Mapping[SyncKind, SyncRun]) -> datetime | None:
    """When the status of the whole fleet was last asked for, of the last finished runs by kind."""
    begun = [
        run.started_at for kind, run in last.items() if kind in STATUS_READS and run.started_at
    ]
    return max(begun, default=None)


def explain_staleness(
    integration: Integration | None, last_read_at: datetime | None, seconds: int | None
) -> str | None:
    """Why the status is stale, as a sentence; None while it is not. `seconds` are those between
    two reads."""
    since = stale_before(seconds)
    if last_read_at is not None and last_read_at >= since:
        return None
    if integration is None or integration.state is not IntegrationState.ACTIVE:
        return "Tactical RMM is not connected, so the portal reads nothing from it."
    if integration.stopped_for is not None:
        return "Scheduled syncs are stopped because Tactical refuses the credentials."
    if integration.breaker_until is not None:
        return "Scheduled syncs wait until Tactical answers again."
    if not seconds:
        return "Status syncs and device syncs are switched off in the settings."
    newest = db.session.scalar(
        select(SyncRun).where(SyncRun.kind.in_(STATUS_READS)).order_by(SyncRun.id.desc()).limit(1)
    )
    if newest is None or newest.created_at < since:
        return "No sync has started since then. Check that the portal's scheduler is running."
    return _WHY[newest.status].format(error=newest.error or "No reason is known.")
