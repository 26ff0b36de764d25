"""Taking back what was decided about conflicts: merges are undone, questions are open again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from portal.db import transaction
from portal.errors import NotFound, Refused
from portal.models import AssetConflict
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.conflicts.listing import can_reopen, get_conflict
from portal.services.runs.reverts import request_revert
from portal.services.undo.offers import CHANGED_SINCE, tell_undone
from portal.services.undo.runs import take_back_run

MOST_AT_ONCE = 25
"""Merges that are taken back while a person waits; more go to a worker."""


def reopen_conflict(conflict_id: int) -> AssetConflict:
    """Forget that both were kept, and by whom. Raises NotFound and Refused."""
    with transaction():
        conflict = get_conflict(conflict_id, locked=True)
        if conflict.settled_at is None:
            raise Refused(f"Conflict {conflict_id} is open already.")
        if not can_reopen(conflict):
            raise Refused(
                f"Conflict {conflict_id} cannot be opened again: only where both assets were kept "
                "can the question be asked again. To take a relink or a merge back, undo its run."
            )
        before = {"settled": True, "as": conflict.settled_as}
        conflict.settled_at = conflict.settled_as = conflict.settled_by = None
        about = Target("conflict", conflict.id, conflict.reason)
        record(Action.CONFLICT_REOPENED, about, before, {"settled": False})
    return conflict


def take_back_settling(run_ids: Sequence[int], kept: Sequence[int], user_id: int) -> str:
    """Undo the runs of those that were relinked or merged, and ask again about those of which both
    assets were kept. Raises Refused where nothing could be taken back."""
    if len(run_ids) == 1:
        return take_back_run(run_ids[0], user_id)
    if len(run_ids) > MOST_AT_ONCE:
        return _let_a_worker_undo(run_ids, user_id)
    done = sum(_is_done(take_back_run, run_id, user_id) for run_id in run_ids)
    done += sum(_is_done(reopen_conflict, conflict_id) for conflict_id in kept)
    if not done:
        raise Refused(CHANGED_SINCE)
    return tell_undone("settled", done, len(run_ids) + len(kept), "conflict")


def _let_a_worker_undo(run_ids: Sequence[int], user_id: int) -> str:
    for run_id in run_ids:
        with suppress(Refused, NotFound):
            request_revert(run_id, user_id)
    return "Being undone: there are many of them. It takes a few seconds."


def _is_done(take_back: Callable[..., object], *which: int) -> bool:
    try:
        take_back(*which)
    except (Refused, NotFound):
        return False
    return True
