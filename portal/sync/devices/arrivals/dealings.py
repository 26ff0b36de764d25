"""What people had to do with assets that a sync might merge by itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, literal, or_, select, union
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.models import Asset, AssetChange, AssetConflict, SyncRun
from portal.models.assets.asset import LOCKS
from portal.models.assets.change import ChangeAction
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import OF_A_PERSON
from portal.sync.devices.held_conflicts import is_open
from portal.sync.runs.cause import PERSON

IDS_AT_ONCE = 1000
SERIAL = "serial_number"
_EDITS = (ChangeAction.EDITED, ChangeAction.RELEASED, ChangeAction.MERGED, ChangeAction.RELINKED)
"""Whoever did the latter two: another asset or agent has gone into it."""
_DECISIONS = (Settlement.RELINK, Settlement.MERGE, Settlement.SEPARATE)


@dataclass(frozen=True, slots=True)
class Dealings:
    """Ids of assets. `edited`: a person changed something of it, or decided something about it.
    `undone`: a run that brought its serial number, or merged it by that, was taken back."""

    edited: frozenset[int] = frozenset()
    undone: frozenset[int] = frozenset()


def load_dealings(session: Session, asset_ids: Collection[int]) -> Dealings:
    """Of these; in one statement for a thousand of them, and none where there are none."""
    edited: set[int] = set()
    undone: set[int] = set()
    for some in chunked(sorted(asset_ids), IDS_AT_ONCE):
        for asset_id, was_undone in session.execute(_dealings_with(some)):
            (undone if was_undone else edited).add(asset_id)
    return Dealings(frozenset(edited), frozenset(undone))


def _dealings_with(asset_ids: Collection[int]) -> Any:
    conflict = AssetConflict
    by_person = select(SyncRun.id).where(SyncRun.kind.in_(OF_A_PERSON))
    serial = conflict.evidence["held", SERIAL].as_string()
    return union(
        _found(Asset.id, asset_ids).where(or_(*(getattr(Asset, lock) for lock in LOCKS.values()))),
        _found(AssetChange.asset_id, asset_ids).where(
            or_(
                AssetChange.action.in_(_EDITS),
                AssetChange.cause == PERSON,
                AssetChange.run_id.in_(by_person),
            )
        ),
        *(
            _found(column, asset_ids).where(conflict.settled_as.in_(_DECISIONS))
            for column in (conflict.asset_id, conflict.other_asset_id)
        ),
        _found(conflict.asset_id, asset_ids).where(is_open(), serial.is_(None)),
        _found(conflict.asset_id, asset_ids, was_undone=True).where(is_open(), serial.is_not(None)),
    )


def _found(column: Any, asset_ids: Collection[int], was_undone: bool = False) -> Select[Any]:
    return select(column, literal(was_undone)).where(column.in_(asset_ids))
