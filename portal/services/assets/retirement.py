"""Assets that are retired or restored, each time as a run that can be seen and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.db import db
from portal.errors import Refused
from portal.models import Asset, SyncRun
from portal.models.runs.sync_run import RunStatus
from portal.models.undo.offer import UndoKind
from portal.scope import beyond_clients
from portal.services.assets.change_runs import ask_for_change
from portal.services.assets.choosing import Chosen
from portal.services.runs.execution import run_queued, work_to_end
from portal.services.runs.history import get_run
from portal.services.runs.requests import enqueue_run
from portal.services.undo.offers import offer_undo
from portal.sync.devices.asset_changes import AssetAction
from portal.sync.devices.retirement import RETIRABLE

DONE_AT_ONCE = 50
"""So many are changed while a person waits: what one page of a list holds."""
STILL_LISTED = (
    "Only an asset that is missing from Tactical can be retired. While its agent is listed, the "
    "next sync would bring it back: delete the agent in Tactical first."
)
OVERTAKEN = (
    "A sync or another person has just changed these assets, so nothing was done. Look at them "
    "again, and decide then."
)
IS_RETIRED = Asset.retired_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, or what a worker does while the run is active."""

    run: SyncRun
    left: int = 0
    """How many of the chosen ones are left as they are."""
    undo: int | None = None
    """The number of the offer to take it back."""

    @property
    def number(self) -> int:
        return self.run.retired + self.run.updated


def retire_assets(chosen: Chosen) -> Done:
    """In this process. For commands. Raises Refused when none of them can be retired, saying why,
    and InvalidInput for no choice."""
    run, _, left = _ask_to_retire(chosen, None)
    return Done(_finished(work_to_end(run.id)), left)


def restore_assets(chosen: Chosen) -> Done:
    """As `retire_assets`: they are missing as before. Raises Refused when none is retired."""
    run, _ = _ask_to_restore(chosen, None)
    return Done(_finished(work_to_end(run.id)))


def request_retirement(chosen: Chosen, user_id: int) -> Done:
    """A few are retired at once, and more by a worker. Raises as `retire_assets`."""
    run, is_new, left = _ask_to_retire(chosen, user_id)
    return Done(_hand_over(run, is_new), left, _offer(run))


def request_restoring(chosen: Chosen, user_id: int) -> Done:
    """As `request_retirement`. Raises as `restore_assets`."""
    run, is_new = _ask_to_restore(chosen, user_id)
    return Done(_hand_over(run, is_new), undo=_offer(run))


def _ask_to_retire(chosen: Chosen, user_id: int | None) -> tuple[SyncRun, bool, int]:
    conditions = chosen.to_conditions()

    def check(session: Session, number: int) -> None:
        if not number:
            raise Refused(_why_not(session, conditions))

    retirable = [*conditions, *RETIRABLE]
    found = _count(db.session(), conditions)
    run, is_new = ask_for_change(AssetAction.RETIRE, retirable, check, user_id)
    return run, is_new, found - len(run.asset_ids or ())


def _ask_to_restore(chosen: Chosen, user_id: int | None) -> tuple[SyncRun, bool]:
    conditions = [*chosen.to_conditions(), IS_RETIRED]
    return ask_for_change(AssetAction.RESTORE, conditions, _check_any, user_id)


def _check_any(_session: Session, number: int) -> None:
    if not number:
        raise Refused("None of these assets is retired.")


def _hand_over(run: SyncRun, is_new: bool) -> SyncRun:
    if len(run.asset_ids or ()) > DONE_AT_ONCE:
        if is_new:
            enqueue_run(run)
        return run
    with beyond_clients():  # it names its assets, which are those of whoever asks
        run_queued(run.id)
        after = get_run(run.id)
    return after if after.is_active else _finished(after)  # a worker was quicker


def _offer(run: SyncRun) -> int | None:
    return offer_undo(UndoKind.RETIRED, {"run_id": run.id})


def _finished(run: SyncRun) -> SyncRun:
    """Raises Refused when it came to nothing."""
    if run.status is not RunStatus.SUCCESS or not (run.retired or run.updated):
        raise Refused(run.error or OVERTAKEN)
    return run


def _why_not(session: Session, conditions: Sequence[ColumnElement[bool]]) -> str:
    """None of these can be retired: because they are, or because their agents are listed."""
    if _count(session, [*conditions, Asset.missing_since.is_(None)]):
        return STILL_LISTED
    return "These assets are retired already." if _count(session, conditions) else "No such asset."


def _count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    return session.scalar(select(func.count()).select_from(Asset).where(*conditions)) or 0
