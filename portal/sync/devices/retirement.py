"""Assets that stay missing: counted, proposed for retirement, retired and restored.

A retired asset keeps all that it has. It is still missing, so that it is in no count and no list
that leaves missing ones out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, false, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import count_changed, transaction
from portal.events.outbox import record_events
from portal.models import Asset, Integration
from portal.models.assets.change import ChangeAction
from portal.sync.devices.device_events import retirement_event
from portal.sync.devices.evidence import Listing
from portal.sync.devices.load import lock_in_order
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import RunLog, log_entry

Retired = Row[int, str, str, int, datetime | None, datetime | None]
"""id, rmm_device_id, name, client_id, retired_at and missing_since, as they are now."""

RETIRABLE = (Asset.missing_since.is_not(None), Asset.retired_at.is_(None))
"""Of one whose agent is listed, the next sync would make an asset in use again."""


def is_proposed(integration: Integration | None, now: datetime) -> list[ColumnElement[bool]]:
    """Missing so often and for so long that a person is asked to retire it."""
    if integration is None:
        return [false()]
    return [
        Asset.integration_id == integration.id,
        Asset.retired_at.is_(None),
        Asset.absent_runs >= integration.retire_after_runs,
        Asset.missing_since <= now - timedelta(days=integration.retire_after_days),
    ]


def note_listing(
    integration: Integration, listing: Listing, run_log: RunLog, *, counts: bool
) -> None:
    """Keep what the next listing is compared with, and with `counts` what this one proves of the
    assets that are missing. Raises RunEnded.

    In one transaction: what is repeated after it counts nothing twice.
    """
    if not listing.is_complete and not listing.is_restricted:
        return
    with transaction() as session:
        run_log.note(session, [])  # the lease is still ours
        made_as = listing.made_as if listing.is_complete else None
        values = {"listed_as": made_as, "listed_run_id": run_log.run_id}
        count_changed(
            session, update(Integration).where(Integration.id == integration.id).values(**values)
        )
        if counts and listing.is_evidence:
            _count_absent_run(session, integration.id)
            if integration.retire_automatically:
                _retire_proposed(session, integration, run_log)


def retire(
    session: Session, which: Sequence[ColumnElement[bool]], cause: Cause, now: datetime
) -> Sequence[Retired]:
    """Those of them that are missing and not retired yet; which they were."""
    rows = _set(session, [*which, *RETIRABLE], {"retired_at": now})
    changes = [ColumnChange(row.id, ChangeAction.RETIRED, "retired_at", None, now) for row in rows]
    record_changes(session, cause, changes)
    _record_events(session, rows)
    return rows


def restore(
    session: Session, retired_at: Mapping[int, datetime], cause: Cause
) -> Sequence[Retired]:
    """Bring these back, by asset id and since when each is retired. They are missing as before,
    and proposed again only after as many more runs."""
    conditions = (Asset.id.in_(list(retired_at)), Asset.retired_at.is_not(None))
    rows = _set(session, conditions, {"retired_at": None, "absent_runs": 0})
    changes = [
        ColumnChange(row.id, ChangeAction.RESTORED, "retired_at", retired_at[row.id])
        for row in rows
    ]
    record_changes(session, cause, changes)
    _record_events(session, rows)
    return rows


def _record_events(session: Session, rows: Sequence[Retired]) -> None:
    events = [
        retirement_event(
            asset_id=row.id,
            rmm_device_id=row.rmm_device_id,
            name=row.name,
            client_id=row.client_id,
            retired_at=row.retired_at,
            missing_since=row.missing_since,
        )
        for row in rows
    ]
    record_events(session, events)


def _set(
    session: Session, conditions: Sequence[ColumnElement[bool]], values: Mapping[str, Any]
) -> Sequence[Retired]:
    return session.execute(
        update(Asset)
        .where(*conditions)
        .values(**values)
        .returning(
            Asset.id,
            Asset.rmm_device_id,
            Asset.name,
            Asset.client_id,
            Asset.retired_at,
            Asset.missing_since,
        )
        .execution_options(synchronize_session=False)
    ).all()


def _count_absent_run(session: Session, integration_id: int) -> None:
    is_missing = lock_in_order(Asset.integration_id == integration_id, *RETIRABLE)
    missing = update(Asset).where(is_missing)
    count_changed(session, missing.values(absent_runs=Asset.absent_runs + 1))


def _retire_proposed(session: Session, integration: Integration, run_log: RunLog) -> None:
    now = utc_now()
    rows = retire(session, is_proposed(integration, now), run_log.cause, now)
    run_log.record(session, Counter(retired=len(rows)), [retired_entry(row) for row in rows])


def retired_entry(row: Retired) -> dict[str, Any]:
    """For the log of a run."""
    since = row.missing_since or utc_now()
    reason = f"It has not been in Tactical since {since:%Y-%m-%d}."
    return log_entry("retired", row.rmm_device_id, row.name, reason)
