"""Merges that are taken back, and those that are made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.errors import NotFound, Refused
from portal.models import Asset, RemovedAsset, SupersededAgent, SyncLogEntry, SyncRun
from portal.models.assets.change import ChangeAction
from portal.models.runs.revert_action import RevertAction
from portal.models.runs.sync_run import SyncKind
from portal.sync.devices.facts import AGENT
from portal.sync.devices.merging.merge import merge_into
from portal.sync.devices.merging.snapshots import value_from_json
from portal.sync.devices.merging.unmerge import unmerge
from portal.sync.history import ColumnChange, record_changes, to_json
from portal.sync.reverting.plan import AssetRevert
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import log_entry

UNMERGED, REMERGED = "unmerged", "merged"
"""Actions of a log entry with `{"asset_id": [kept, the other], "agent_of": [None, id],
"superseded_at": [None, moment]}`. What else was taken back of the two stands under COLUMNS:
`{asset id as text: {column: [now, then]}}`."""
COLUMNS = "columns"


@dataclass(frozen=True, slots=True)
class Merge:
    """`removed_id` is the row of what went into the asset `keep_id`; None of a merge that an
    earlier revert took back, and that is to be made again."""

    keep_id: int
    other_id: int
    agent_id: str
    """Of the other one."""
    name: str
    agent_of: int
    """Which of the two has, or had, the agent of the asset that both became."""
    removed_id: int | None
    superseded_at: str | None = None
    """Since when the agent that it has no more leads to it; None where that is not known."""
    columns: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    """As COLUMNS has them, of a merge that is to be made again."""


def list_merges(session: Session, run: SyncRun) -> list[Merge]:
    """What the run merged, the newest first, and what it took apart."""
    rows = session.execute(
        select(
            RemovedAsset.id,
            RemovedAsset.into_asset_id,
            RemovedAsset.asset_id,
            RemovedAsset.snapshot,
        )
        .where(RemovedAsset.run_id == run.id, RemovedAsset.into_asset_id.is_not(None))
        .order_by(RemovedAsset.id.desc())
    )
    found = [_make_merge(*row) for row in rows]
    if run.kind is not SyncKind.REVERT:  # no other takes merges apart
        return found
    entries = session.execute(
        select(SyncLogEntry.external_id, SyncLogEntry.name, SyncLogEntry.changes)
        .where(SyncLogEntry.run_id == run.id, SyncLogEntry.action == UNMERGED)
        .order_by(SyncLogEntry.id.desc())
    )
    for agent_id, name, changes in entries:
        keep_id, other_id = (changes or {})["asset_id"]
        agent_of, columns = (changes or {})["agent_of"][1], (changes or {}).get(COLUMNS, {})
        _, superseded_at = (changes or {}).get("superseded_at", (None, None))
        told = agent_id, name, agent_of
        found.append(Merge(keep_id, other_id, *told, None, superseded_at, columns))
    return found


def _make_merge(removed_id: int, keep_id: int, other_id: int, snapshot: dict[str, Any]) -> Merge:
    asset, kept = snapshot["asset"], snapshot["kept"]["after"]
    agent_of = other_id if kept[AGENT] == asset[AGENT] else keep_id
    superseded_at = snapshot["kept"].get("superseded_at")
    told = asset[AGENT], asset["name"], agent_of
    return Merge(keep_id, other_id, *told, removed_id, superseded_at)


def plan_merge(merge: Merge) -> AssetRevert:
    """Whether it can be is known when it is tried."""
    action = RevertAction.REMOVED if merge.removed_id is None else RevertAction.CREATED
    return AssetRevert(merge.other_id, merge.agent_id, merge.name, action)


def list_assets_of(merges: Sequence[Merge]) -> Iterator[int]:
    for merge in merges:
        yield from (merge.keep_id, merge.other_id)


def take_back(session: Session, merge: Merge, cause: Cause) -> AssetRevert:
    """Do it, in a savepoint of the caller's transaction."""
    plan = plan_merge(merge)
    try:
        with session.begin_nested():
            if merge.removed_id is None:
                _merge_again(session, merge, cause)
            else:
                unmerge(session, session.get_one(RemovedAsset, merge.removed_id), cause)
    except (NotFound, Refused) as error:
        kept = [error.message]
        return AssetRevert(
            plan.asset_id, plan.agent_id, plan.name, RevertAction.UNCHANGED, kept=kept
        )
    return plan


def _merge_again(session: Session, merge: Merge, cause: Cause) -> None:
    """As of when it was made: nobody asks Tactical for its clock here. Else the last check-in of
    the two is the latest moment that is known of it."""
    _restore(session, merge, cause)
    both = Asset.id.in_((merge.keep_id, merge.other_id))
    seen = session.scalar(select(func.max(Asset.last_seen_at)).where(both)) or utc_now()
    if merge.superseded_at is not None:
        seen = value_from_json(SupersededAgent, "superseded_at", merge.superseded_at)
    merge_into(session, merge.keep_id, merge.other_id, cause, seen, agent_of=merge.agent_of)


def _restore(session: Session, merge: Merge, cause: Cause) -> None:
    """What the run that took the merge back took back of the two besides."""
    told = []
    for asset_id, columns in merge.columns.items():
        asset = session.get(Asset, int(asset_id), with_for_update=True, populate_existing=True)
        for column, (before, then) in columns.items():
            if asset is None or to_json(getattr(asset, column)) != then:
                continue  # something else has changed it since
            setattr(asset, column, value_from_json(Asset, column, before))
            told.append(ColumnChange(asset.id, ChangeAction.REVERTED, column, then, before))
    session.flush()
    record_changes(session, cause, told)


def merge_entry(merge: Merge, others: Iterable[AssetRevert] = ()) -> dict[str, Any]:
    """For the log of the run that takes it back, with what else it took back of the two."""
    action = REMERGED if merge.removed_id is None else UNMERGED
    changes: dict[str, Any] = {
        "asset_id": [merge.keep_id, merge.other_id],
        "agent_of": [None, merge.agent_of],
        "superseded_at": [None, merge.superseded_at],
    }
    columns = {
        str(each.asset_id): {name: list(both) for name, both in each.changes.items()}
        for each in others
        if each.changes
    }
    if columns:
        changes |= {COLUMNS: columns}
    return log_entry(action, merge.agent_id, merge.name, changes=changes)


def list_done(session: Session, run_id: int) -> set[int]:
    """The assets that this run has merged or taken apart, as its log says."""
    changes = session.scalars(
        select(SyncLogEntry.changes).where(
            SyncLogEntry.run_id == run_id, SyncLogEntry.action.in_((UNMERGED, REMERGED))
        )
    )
    return {asset_id for each in changes for asset_id in (each or {})["asset_id"]}
