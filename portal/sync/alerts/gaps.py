"""Times in which the portal may have missed alerts that began and ended."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.models import Integration, SyncRun, WebhookUsage
from portal.models.runs.sync_run import COMPLETED, SyncKind
from portal.sync.runs.log import RunLog, log_entry
from portal.wording import plural, say_moment

LATE_AFTER_INTERVALS = 2
CLOCKS_DIFFER = timedelta(hours=1)
"""At most, between Tactical's clock and ours."""
MOST_DAYS = 365
STORM_IS_OVER_AFTER = timedelta(seconds=10)
"""Without a refused delivery; what web processes still count is younger."""


def count_missed_days(integration: Integration, run_log: RunLog) -> int:
    """How many days back alerts may have begun and ended unseen; 0 where nothing was missed.

    Tactical counts whole days of when an alert began. The run's log names the reason.
    """
    reasons = {
        since: reason
        for since, reason in (
            (_find_late_since(integration), "The last alert sync began on {}."),
            (_find_storm_since(), "Webhooks have been refused since {} because too many arrived."),
        )
        if since is not None
    }
    release()
    if not reasons:
        return 0
    since = min(reasons)
    days = min(math.ceil((utc_now() - since + CLOCKS_DIFFER) / timedelta(days=1)), MOST_DAYS)
    reason = (
        f"{reasons[since].format(say_moment(since))} This run "
        f"therefore also reads the resolved alerts of the last {plural(days, 'day')}."
    )
    with transaction() as session:
        run_log.note(session, [log_entry("note", reason=reason)])
    return days


def settle_storm(asked_at: datetime) -> None:
    """Alerts were read, beginning at that moment: a storm that was over by then is made up for."""
    with transaction() as session:
        session.execute(
            update(WebhookUsage)
            .where(
                WebhookUsage.must_reconcile,
                WebhookUsage.refused_until < asked_at - STORM_IS_OVER_AFTER,
            )
            .values(must_reconcile=False)
            .execution_options(synchronize_session=False)
        )


def _find_late_since(integration: Integration) -> datetime | None:
    """When the last good reconciliation was begun, if that is too long ago.

    None before the first one: what was over by then is nobody's news.
    """
    last = db.session.scalar(
        select(func.max(SyncRun.started_at)).where(
            SyncRun.integration_id == integration.id,
            SyncRun.kind == SyncKind.ALERTS,
            SyncRun.status.in_(COMPLETED),
        )
    )
    interval = timedelta(minutes=integration.alert_sync_minutes)
    is_late = last is not None and utc_now() - last > LATE_AFTER_INTERVALS * interval
    return last if is_late else None


def _find_storm_since() -> datetime | None:
    return db.session.scalar(select(WebhookUsage.refused_from).where(WebhookUsage.must_reconcile))
