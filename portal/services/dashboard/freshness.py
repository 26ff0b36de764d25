"""When what Tactical knows was last read, kind by kind, and whether that is too long ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from portal.clock import utc_now
from portal.models import Integration, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.assets.freshness import INTERVALS, LEAST, newest_status_read
from portal.services.integrations.schedules import sync_intervals
from portal.services.webhook.state import Health

READS: Final = (
    SyncKind.STATUS,
    SyncKind.DEVICES,
    SyncKind.ALERTS,
    SyncKind.SOFTWARE,
    SyncKind.ORGANIZATIONS,
)
"""The most frequent first."""


@dataclass(frozen=True, slots=True)
class Freshness:
    kind: SyncKind | None
    """None: what the webhook reports."""
    at: datetime | None
    """When it was last read, or last reported; None: never."""
    every_seconds: int
    """0 where nothing is read by itself."""
    is_late: bool
    """A read should have come since, or the webhook missed something."""


def list_freshness(
    integration: Integration | None, last: Mapping[SyncKind, SyncRun], webhook: Health | None
) -> list[Freshness]:
    """`last` are the last finished runs by kind. What nobody reads and never was read is left
    out."""
    intervals = sync_intervals(integration) if integration is not None else {}
    begun = {kind: run.started_at or run.created_at for kind, run in last.items()}
    status_at = newest_status_read(last)
    if status_at is not None:
        begun[SyncKind.STATUS] = status_at
    reads = [_of_kind(kind, intervals.get(kind, 0), begun.get(kind)) for kind in READS]
    found = [each for each in reads if each.at is not None or each.every_seconds]
    if webhook is not None:
        is_late = webhook.missed > 0 or webhook.test_failed_at is not None
        found.append(Freshness(None, webhook.last_arrival_at, 0, is_late))
    return found


def _of_kind(kind: SyncKind, seconds: int, at: datetime | None) -> Freshness:
    limit = max(INTERVALS * timedelta(seconds=seconds), LEAST)
    is_late = bool(seconds) and at is not None and at < utc_now() - limit
    return Freshness(kind, at, seconds, is_late)
