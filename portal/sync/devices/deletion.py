"""Deleting retired assets for good, some at a time: tens of thousands of rows go with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import count_changed, db, release, transaction
from portal.models import Asset, SyncLogEntry, SyncRun
from portal.sync.runs.log import RunLog, log_entry
from portal.wording import plural

ASSETS_AT_ONCE = 200
DELETED = "deleted"


def delete_for_good(run_log: RunLog) -> None:
    """Delete the assets that the run names, with software and history; alerts stay, without their
    asset. One that is retired no more stays. Raises RunEnded: what is committed stays done."""
    ids = db.session.scalar(select(SyncRun.asset_ids).where(SyncRun.id == run_log.run_id)) or []
    release()
    run_log.set_phase("Deleting assets", len(ids))
    for some in chunked(ids, ASSETS_AT_ONCE):
        with transaction() as session:
            _delete(session, run_log, some)
    with transaction() as session:
        run_log.note(session, [])  # the lease is still ours
        _name_run(session, run_log.run_id)


def _delete(session: Session, run_log: RunLog, ids: Sequence[int]) -> None:
    which = (Asset.id.in_(ids), Asset.retired_at.is_not(None))
    found = select(Asset.rmm_device_id, Asset.name).where(*which).order_by(Asset.id)
    rows = session.execute(found.with_for_update()).all()
    count_changed(session, delete(Asset).where(*which))
    counts = Counter(seen=len(ids), removed=len(rows), unchanged=len(ids) - len(rows))
    entries = [log_entry(DELETED, row.rmm_device_id, row.name) for row in rows]
    run_log.record(session, counts, entries)


def _name_run(session: Session, run_id: int) -> None:
    """By its log: after an interruption its counts are of the rest."""
    of_run = (SyncLogEntry.run_id == run_id, SyncLogEntry.action == DELETED)
    number, name = session.execute(
        select(func.count(), func.min(SyncLogEntry.name)).where(*of_run)
    ).one()
    what = name if number == 1 else plural(number, "asset")
    title = f"Deleted {what} for good"
    count_changed(session, update(SyncRun).where(SyncRun.id == run_id).values(title=title))
