"""Taking back what a run did to assets: looked at first, then asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import AssetChange, RemovedAsset, SyncLogEntry, SyncRun
from portal.models.runs.sync_run import OF_A_PERSON, SyncKind
from portal.services.assets.removed import KEPT_FOR
from portal.services.runs.execution import work_to_end
from portal.services.runs.history import get_run
from portal.services.runs.requests import enqueue_run, find_or_add_run
from portal.sync.reverting.mappings import MAPPED
from portal.sync.reverting.plan import AssetRevert
from portal.sync.reverting.run import FROM_TACTICAL, plan_revert
from portal.sync.reverting.servers import REPLACED, was_replaced_since

NOTHING_DONE = "This run changed no assets, so there is nothing to undo."
NOTHING_LEFT = (
    "The assets that this run changed do not exist any more, so there is nothing to undo."
)
DELETED = "Assets that were deleted for good cannot be brought back."
KINDS = (*FROM_TACTICAL, *OF_A_PERSON, SyncKind.REVERT)
"""Of runs that change assets."""
CHANGES = ("created", "updated", "moved", "relinked", "retired", "removed", "missing")
"""Counts of assets that were changed, each with rows in their history."""


def undo_until(run: SyncRun) -> datetime:
    return (run.finished_at or run.created_at) + KEPT_FOR


def is_too_old(run: SyncRun) -> bool:
    """Whether it could have been undone, and nobody did while that was possible."""
    is_over = not run.is_active and undo_until(run) < utc_now()
    return run.kind in KINDS and run.reverted_by_run_id is None and is_over


def find_obstacle(run: SyncRun) -> str | None:
    """Why the run as a whole cannot be taken back, as a sentence; None where it can."""
    return _find_refusal(run) or (None if _did_something(run.id) else _why_nothing(run))


def check_revertible(run: SyncRun) -> None:
    """By what stands in the run itself. Raises Refused where it cannot be taken back."""
    if (refusal := _find_refusal(run)) is not None:
        raise Refused(refusal)


def list_reverts(run: SyncRun) -> list[AssetRevert]:
    """What taking the run back would do to each record. Raises Refused where it cannot be."""
    check_revertible(run)
    found = plan_revert(db.session(), run)
    if not found:
        raise Refused(_why_nothing(run))
    return found


def request_revert(run_id: int, user_id: int | None = None) -> SyncRun:
    """Let a worker take the run back; `user_id` None is somebody at the command line. Raises
    NotFound, and Refused where it cannot be."""
    run, is_new = _add(run_id, user_id)
    if is_new:
        enqueue_run(run)
    return run


def revert_to_end(run_id: int, user_id: int | None = None) -> SyncRun:
    """As `request_revert`, in this process. For commands, and for what is small."""
    run, _ = _add(run_id, user_id)
    return work_to_end(run.id)


def _add(run_id: int, user_id: int | None) -> tuple[SyncRun, bool]:
    trigger = "command" if user_id is None else "button"
    with transaction() as session:
        run = session.get(SyncRun, run_id, with_for_update=True, populate_existing=True)
        _check(run or get_run(run_id))
        return find_or_add_run(session, SyncKind.REVERT, trigger, str(run_id), user_id)


def _find_refusal(run: SyncRun) -> str | None:
    """The same by what stands in the run itself."""
    if run.kind not in KINDS:
        return "A run of this kind changes no assets, so there is nothing to undo."
    if run.is_active:
        return "This run is still working. Wait until it has ended, or cancel it."
    if run.reverted_by_run_id is not None:
        return f"This run was undone already, by run {run.reverted_by_run_id}."
    if undo_until(run) < utc_now():
        return f"A run can be undone for {KEPT_FOR.days} days. This one ended before that."
    return REPLACED if was_replaced_since(db.session(), run) else None


def _check(run: SyncRun) -> None:
    if (obstacle := find_obstacle(run)) is not None:
        raise Refused(obstacle)


def _why_nothing(run: SyncRun) -> str:
    """Of a run without a trace: the history of an asset goes with it."""
    of_run = select(SyncLogEntry.id).where(SyncLogEntry.run_id == run.id)
    if db.session.scalar(of_run.where(SyncLogEntry.action == "deleted").limit(1)) is not None:
        return DELETED
    return NOTHING_LEFT if any(run.counts[name] for name in CHANGES) else NOTHING_DONE


def _did_something(run_id: int) -> bool:
    mapped = (SyncLogEntry.run_id == run_id) & (SyncLogEntry.action == MAPPED)
    traces = (
        select(AssetChange.id).where(AssetChange.run_id == run_id),
        select(RemovedAsset.id).where(RemovedAsset.run_id == run_id),
        select(SyncLogEntry.id).where(mapped),
    )
    return any(db.session.scalar(trace.limit(1)) is not None for trace in traces)
