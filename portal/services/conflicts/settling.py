"""Settling conflicts: what a person decides is done at once, as a run that can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, PortalError, Refused
from portal.models import Asset, AssetConflict, SyncRun, User
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import SyncKind
from portal.models.undo.offer import UndoKind
from portal.services.assets.merge import merge_as_run
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.conflicts.listing import get_conflict, list_choices
from portal.services.lists.ticked import check_ticked
from portal.services.undo.offers import offer_undo
from portal.sync.devices.relinking import relink
from portal.sync.runs.log import log_entry
from portal.sync.runs.person_runs import add_person_run, cause_of, record_done

MOST_AT_ONCE = 500
"""Conflicts in one request: each takes some milliseconds."""
OVERTAKEN = (
    "A sync changed one of these assets at the same moment, so nothing was done. Look at the "
    "conflict again, and decide then."
)
WORDS = {
    Settlement.RELINK: "settled by relinking",
    Settlement.MERGE: "settled by merging",
    Settlement.SEPARATE: "settled by keeping both",
    Settlement.APPLY: "settled: the next sync applies Tactical's values",
    Settlement.GONE: "closed, because it no longer applies",
}
"""What was decided, to say after "was"."""


@dataclass
class Settled:
    """What became of several: `problems` are sentences about those that were left open."""

    number: int = 0
    problems: list[str] = field(default_factory=list)
    undo: int | None = None
    """The number of the offer to take it back, or None."""


def settle_conflict(
    conflict_id: int,
    settlement: Settlement,
    user_id: int | None = None,
    target_id: int | None = None,
) -> SyncRun | None:
    """Decide; the run that did it, None where no asset was changed.

    RELINK gives the asset in question the conflict's agent, MERGE makes one asset of both with
    the agent that was seen last: either way what the agent's own asset had comes along. SEPARATE
    is remembered for good. APPLY lets the next sync write what a revert took back. `target_id` is
    the asset in question where there are several. Raises NotFound, InvalidInput, and Refused, also
    where somebody else decided meanwhile.
    """
    asked = get_conflict(conflict_id)
    _check(asked, settlement)
    target_id = _choose_target(asked, target_id)
    try:
        with transaction() as session:
            conflict = _lock(session, asked, target_id)
            _check(conflict, settlement)
            _choose_target(conflict, target_id)
            run = _do(session, conflict, settlement, target_id, user_id)
            conflict.settled_at, conflict.settled_as = utc_now(), settlement
            conflict.settled_by = user_id
            after = {
                "settled": True,
                "as": settlement,
                "agent_id": conflict.agent_id,
                "asset_id": conflict.asset_id,
            }
            after |= {"other_asset_id": target_id, "run_id": run.id if run else None}
            about = Target("conflict", conflict.id, conflict.reason)
            record(Action.CONFLICTS_SETTLED, about, {"settled": False}, after)
    except IntegrityError:
        raise Refused(OVERTAKEN) from None
    return run


def settle_conflicts(
    ids: Iterable[int], settlement: Settlement, user_id: int | None = None
) -> Settled:
    """One after the other, each by itself: one that cannot be settled leaves the rest alone.
    Raises InvalidInput when none is chosen."""
    chosen, settled = check_ticked(ids, "conflict", MOST_AT_ONCE), Settled()
    done: dict[int, SyncRun | None] = {}
    for conflict_id in chosen:
        try:
            done[conflict_id] = settle_conflict(conflict_id, settlement, user_id)
        except PortalError as error:
            settled.problems.append(error.message)
    settled.number, settled.undo = len(done), offer_settling(settlement, done)
    return settled


def offer_settling(settlement: Settlement, done: Mapping[int, SyncRun | None]) -> int | None:
    """To take back what was decided: by conflict the run that did it, if any. None where there is
    nothing to take back."""
    if settlement is Settlement.SEPARATE and done:
        return offer_undo(UndoKind.SETTLED, {"run_ids": [], "kept": list(done)})
    run_ids = [run.id for run in done.values() if run is not None]
    return offer_undo(UndoKind.SETTLED, {"run_ids": run_ids, "kept": []}) if run_ids else None


def _lock(session: Session, asked: AssetConflict, target_id: int | None) -> AssetConflict:
    """The conflict as it stands: assets first and in order, as syncs lock them; then what is asked
    about them. An agent that got an asset meanwhile has one of its own."""
    own_id = _find_own_id(session, asked)
    pair = select(Asset.id).where(Asset.id.in_([own_id, target_id])).order_by(Asset.id)
    session.scalars(pair.with_for_update()).all()
    conflict = session.get(AssetConflict, asked.id, with_for_update=True, populate_existing=True)
    if conflict is None:
        raise NotFound("This conflict does not exist any more: its asset was deleted.")
    conflict.asset_id = conflict.asset_id or own_id
    return conflict


def _find_own_id(session: Session, asked: AssetConflict) -> int | None:
    """The agent's own asset: that of the question, or one that it got since."""
    if asked.asset_id is not None or asked.other_asset_id is None:
        return asked.asset_id
    its = (Asset.integration_id == asked.integration_id, Asset.rmm_device_id == asked.agent_id)
    return session.scalar(select(Asset.id).where(*its))


def _check(conflict: AssetConflict, settlement: Settlement) -> None:
    if conflict.settled_at is not None:
        raise Refused(_decided(conflict))
    choices = list_choices(conflict)
    if settlement not in choices:
        words = " or ".join(map(str, choices))
        raise Refused(f"Conflict {conflict.id} cannot be settled by {settlement}. Choose {words}.")


def _decided(conflict: AssetConflict) -> str:
    """What somebody else decided first."""
    what = WORDS[conflict.settled_as] if conflict.settled_as else "settled"
    user = db.session.get(User, conflict.settled_by) if conflict.settled_by else None
    who = f"{user.email} has already decided: conflict" if user else "Conflict"
    was = "was" if user else "was already"
    return f"{who} {conflict.id} {was} {what}. Nothing was changed."


def _choose_target(conflict: AssetConflict, target_id: int | None) -> int | None:
    """The asset in question: the one named, if the evidence has it."""
    known = {asset["asset_id"] for asset in conflict.evidence.get("assets", ())}
    if target_id is None or target_id == conflict.other_asset_id:
        return conflict.other_asset_id
    if target_id not in known:
        raise InvalidInput("This conflict is not about that asset. Choose one that it shows.")
    return target_id


def _do(
    session: Session,
    conflict: AssetConflict,
    settlement: Settlement,
    target_id: int | None,
    user_id: int | None,
) -> SyncRun | None:
    if settlement not in (Settlement.RELINK, Settlement.MERGE):
        return None
    assert target_id is not None
    if conflict.asset_id == target_id:
        raise Refused("The known asset has this agent already, so there is nothing to join.")
    if conflict.asset_id is None:
        return _relink(session, conflict, target_id, user_id)
    agent_of = conflict.asset_id if settlement is Settlement.RELINK else None
    return merge_as_run(session, target_id, conflict.asset_id, user_id, agent_of, [conflict.reason])


def _relink(
    session: Session, conflict: AssetConflict, target_id: int, user_id: int | None
) -> SyncRun:
    """Of an agent without an asset of its own."""
    asset = session.get(Asset, target_id)
    if asset is None or asset.integration_id != conflict.integration_id:
        raise Refused("The known asset does not exist any more, or is of another server.")
    title = f"Gave {asset.name} to a new agent"
    run = add_person_run(session, conflict.integration_id, SyncKind.MERGE, title, user_id)
    changes = {"rmm_device_id": [asset.rmm_device_id, conflict.agent_id]}
    agents = {asset.id: conflict.agent_id}
    relink(session, conflict.integration_id, agents, cause_of(run), utc_now())
    entry = log_entry("relinked", conflict.agent_id, asset.name, conflict.reason, changes)
    record_done(session, run, {"relinked": 1}, [entry])
    return run
