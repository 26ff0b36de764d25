"""What a person had done to many assets, some at a time: retired, restored, deleted for good.

Of a deletion, tens of thousands of rows go too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import count_changed, db, release, transaction
from portal.models import Asset, SyncLogEntry, SyncRun
from portal.sync.devices.merging.keepsakes import keep_for_lists
from portal.sync.devices.retirement import restore, retire, retired_entry
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import RunLog, log_entry
from portal.wording import plural

ASSETS_AT_ONCE = 200
DELETED = "deleted"


class AssetAction(StrEnum):
    RETIRE = "retire"
    RESTORE = "restore"
    DELETE = "delete"

    def to_subject(self, asset_ids: Sequence[int]) -> str:
        """Of the run that does it to these assets: of the same ones, only one run is active."""
        digest = sha256(" ".join(map(str, asset_ids)).encode()).hexdigest()[:16]
        return f"{self} {digest}"

    @classmethod
    def from_subject(cls, subject: str) -> AssetAction:
        word, _, digest = subject.partition(" ")
        return cls(word) if digest else cls.DELETE  # once, no other had runs of their own


@dataclass(frozen=True, slots=True)
class _Words:
    phase: str
    count: str
    """The count of the run."""
    entry: str
    """The action of its log."""
    title: str


_WORDS = {
    AssetAction.RETIRE: _Words("Retiring assets", "retired", "retired", "Retired {}"),
    AssetAction.RESTORE: _Words("Restoring assets", "updated", "restored", "Restored {}"),
    AssetAction.DELETE: _Words("Deleting assets", "removed", DELETED, "Deleted {} for good"),
}


def change_assets(
    run_log: RunLog, action: AssetAction, list_theirs: Callable[[Sequence[int]], Sequence[int]]
) -> None:
    """Do it to the assets that the run names, as far as it can be done to them still. Raises
    RunEnded: what is committed stays done, and an attempt after this one goes on with the rest.

    `list_theirs`: of some of them, those that it may still be done to for whoever asked. What it
    raises ends the run too.

    What is retired or restored keeps all that it has. Of what is deleted, software and history go
    with it; alerts stay, without their asset.
    """
    words = _WORDS[action]
    ids = db.session.scalar(select(SyncRun.asset_ids).where(SyncRun.id == run_log.run_id)) or []
    run_log.counts[words.count], _ = _count_done(db.session(), run_log.run_id, words)
    release()
    run_log.set_phase(words.phase, len(ids))
    for some in chunked(ids, ASSETS_AT_ONCE):
        with transaction() as session:
            entries = _change(session, action, list_theirs(some), run_log.cause)
            run_log.record(
                session, Counter({"seen": len(some), words.count: len(entries)}), entries
            )
    with transaction() as session:
        number, name = _count_done(session, run_log.run_id, words)
        run_log.record(session, Counter(unchanged=len(ids) - number), [])
        if number:
            title = words.title.format(name if number == 1 else plural(number, "asset"))
            its_run = update(SyncRun).where(SyncRun.id == run_log.run_id)
            count_changed(session, its_run.values(title=title))


def _change(
    session: Session, action: AssetAction, ids: Sequence[int], cause: Cause
) -> list[dict[str, Any]]:
    """The log's entries of those that it was done to. All are locked first, in one order."""
    locked = select(Asset.id, Asset.retired_at).where(Asset.id.in_(ids)).order_by(Asset.id)
    since = {row.id: row.retired_at for row in session.execute(locked.with_for_update())}
    retired = {asset_id: at for asset_id, at in since.items() if at is not None}
    match action:
        case AssetAction.RETIRE:
            rows = retire(session, [Asset.id.in_(list(since))], cause, utc_now())
            return [retired_entry(row) for row in rows]
        case AssetAction.RESTORE:
            rows = restore(session, retired, cause)
            return [log_entry("restored", row.rmm_device_id, row.name) for row in rows]
        case AssetAction.DELETE:
            return _delete(session, retired)


def _delete(session: Session, retired: Mapping[int, datetime]) -> list[dict[str, Any]]:
    which = Asset.id.in_(list(retired))
    rows = session.execute(select(Asset.rmm_device_id, Asset.name).where(which).order_by(Asset.id))
    entries = [log_entry(DELETED, row.rmm_device_id, row.name) for row in rows]
    keep_for_lists(session, list(retired))
    count_changed(session, delete(Asset).where(which))
    return entries


def _count_done(session: Session, run_id: int, words: _Words) -> tuple[int, str]:
    """Of how many assets the log of the run tells, attempts before this one too; and the name of
    one of them."""
    of_run = (SyncLogEntry.run_id == run_id, SyncLogEntry.action == words.entry)
    found = select(func.count(), func.min(SyncLogEntry.name)).where(*of_run)
    number, name = session.execute(found).one()
    return number, name or ""
