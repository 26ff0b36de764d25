"""Taking back a run of a person's: a few records at once, many by a worker."""

from __future__ import annotations

from sqlalchemy import func, select

from portal.chunks import chunked
from portal.db import db
from portal.errors import Refused
from portal.models import Asset, SyncRun
from portal.models.runs.sync_run import RunStatus
from portal.scope import beyond_clients
from portal.services.runs.history import get_run
from portal.services.runs.reverts import CHANGES, request_revert, revert_to_end
from portal.services.undo.offers import CHANGED_SINCE
from portal.wording import plural

MOST_AT_ONCE = 2_000
"""More records than these go back in a worker."""
AT_ONCE = 1_000


def take_back_run(run_id: int, user_id: int) -> str:
    """Undo what it did to assets. Raises NotFound, and Refused where it cannot be, or where
    whoever asks does not see all of them any more."""
    with beyond_clients():
        run = get_run(run_id)
        title, ids = run.title or "The change", run.asset_ids or []
    if _count_seen(ids) != len(ids):
        raise Refused(CHANGED_SINCE)
    with beyond_clients():
        reverted = revert(run, len(ids), user_id)
        if reverted is None:
            return "Being undone: there are many of them. It takes a few seconds."
        return tell_reverted(title, reverted, "asset")


def revert(run: SyncRun, size: int, user_id: int) -> SyncRun | None:
    """The run that took it back; None where a worker does it."""
    if size > MOST_AT_ONCE:
        request_revert(run.id, user_id)
        return None
    return revert_to_end(run.id, user_id)


def tell_reverted(title: str, reverted: SyncRun, noun: str) -> str:
    """Raises Refused where nothing could go back."""
    if reverted.status is RunStatus.FAILED:
        raise Refused(reverted.error or CHANGED_SINCE)
    if not reverted.skipped:
        return f"Undone: {title[0].lower()}{title[1:]}."
    if not any(reverted.counts[name] for name in CHANGES):
        raise Refused(CHANGED_SINCE)
    return f"Undone in part: {plural(reverted.skipped, noun)} changed since."


def _count_seen(asset_ids: list[int]) -> int:
    seen = select(func.count()).select_from(Asset)
    return sum(
        db.session.scalar(seen.where(Asset.id.in_(some))) or 0
        for some in chunked(asset_ids, AT_ONCE)
    )
