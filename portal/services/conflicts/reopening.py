"""Taking back that both assets of a conflict were kept: the question is open again."""

from __future__ import annotations

from portal.db import transaction
from portal.errors import Refused
from portal.models import AssetConflict
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.conflicts.listing import can_reopen, get_conflict


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
