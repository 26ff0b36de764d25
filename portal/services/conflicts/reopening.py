"""Taking back that both assets of a conflict were kept: the question is open again."""

from __future__ import annotations

from portal.db import transaction
from portal.errors import NotFound, Refused
from portal.models import AssetConflict
from portal.models.assets.conflict import Settlement
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record


def can_reopen(conflict: AssetConflict) -> bool:
    """Whether nothing but the decision itself came of it; all else is a run that can be undone."""
    return conflict.settled_as is Settlement.SEPARATE


def reopen_conflict(conflict_id: int) -> AssetConflict:
    """Forget that both were kept, and by whom. Raises NotFound and Refused."""
    with transaction() as session:
        conflict = session.get(
            AssetConflict, conflict_id, with_for_update=True, populate_existing=True
        )
        if conflict is None:
            raise NotFound("This conflict does not exist.")
        if conflict.settled_at is None:
            raise Refused(f"Conflict {conflict_id} is open already.")
        if not can_reopen(conflict):
            raise Refused(
                f"Conflict {conflict_id} cannot be opened again: only where both assets were kept "
                "can the question be asked again. To take a relink or a merge back, undo its run."
            )
        before = {"as": conflict.settled_as}
        conflict.settled_at = conflict.settled_as = conflict.settled_by = None
        record(Action.CONFLICT_REOPENED, Target("conflict", conflict.id, conflict.reason), before)
    return conflict
