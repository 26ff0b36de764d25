"""What a run did to assets, how they stand, and what became of them since: three statements for
any number of assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.models import Asset, AssetChange, Client, User
from portal.models.assets.change import ChangeAction
from portal.sync.devices.facts import AGENT
from portal.sync.history import to_json
from portal.sync.reverting.plan import CLIENT, AssetRevert, Change, plan_asset
from portal.sync.runs.cause import PERSON

ASSET_COLUMNS = tuple(
    name for name, column in Asset.__table__.columns.items() if column.computed is None
)
_BY = {"command": "a command", PERSON: "a person who is gone"}


@dataclass(frozen=True, slots=True)
class StoredRevert:
    """A decision, and the asset that it is about as it stands: `{column: value}`."""

    revert: AssetRevert
    asset: dict[str, Any]


def load_assets(
    session: Session, *conditions: ColumnElement[bool], lock: bool
) -> list[dict[str, Any]]:
    """Whole rows, `{column: value}`, by id: without what the database computes."""
    rows = (
        select(*(getattr(Asset, name) for name in ASSET_COLUMNS))
        .where(*conditions)
        .order_by(Asset.id)
    )
    rows = rows.with_for_update(of=Asset) if lock else rows
    return [dict(row._mapping) for row in session.execute(rows)]


def list_changed_assets(session: Session, run_id: int) -> list[int]:
    """The ids of the assets that there are and that the run changed, in order."""
    changed = select(AssetChange.asset_id).where(AssetChange.run_id == run_id).distinct()
    return list(session.scalars(changed.order_by(AssetChange.asset_id)))


def plan_reverts(
    session: Session, run_id: int, asset_ids: Sequence[int], lock: bool = False
) -> list[StoredRevert]:
    """A decision for each of these assets that the run changed."""
    stored = load_assets(session, Asset.id.in_(asset_ids), lock=lock)
    of_assets = AssetChange.asset_id.in_(asset_ids)
    own = _load(session, of_assets & (AssetChange.run_id == run_id))
    later = _load(session, of_assets & _is_later(run_id))
    moves = any(each.column == CLIENT for changes in own.values() for each in changes)
    clients = set(session.scalars(select(Client.id))) if moves else set()
    taken = _find_taken(session, own)
    return [
        StoredRevert(_plan(asset, own[asset["id"]], later[asset["id"]], clients, taken), asset)
        for asset in stored
        if asset["id"] in own
    ]


def _plan(
    asset: dict[str, Any],
    own: list[Change],
    later: list[Change],
    clients: set[int],
    taken: set[str],
) -> AssetRevert:
    return plan_asset({k: to_json(v) for k, v in asset.items()}, own, later, clients, taken)


def _find_taken(session: Session, own: Mapping[int, Sequence[Change]]) -> set[str]:
    """Which of the agents that the assets had belong to assets now."""
    agents = {each.before for changes in own.values() for each in changes if each.column == AGENT}
    if not agents:
        return set()
    return set(session.scalars(select(Asset.rmm_device_id).where(Asset.rmm_device_id.in_(agents))))


def _is_later(run_id: int) -> ColumnElement[bool]:
    """By somebody else, after the run's first change of the same asset."""
    first = aliased(AssetChange)
    since = (
        select(func.min(first.id))
        .where(first.asset_id == AssetChange.asset_id, first.run_id == run_id)
        .scalar_subquery()
    )
    others = or_(AssetChange.run_id.is_(None), AssetChange.run_id != run_id)
    return and_(AssetChange.id > since, others)


def _load(session: Session, wanted: ColumnElement[bool]) -> dict[int, list[Change]]:
    found: defaultdict[int, list[Change]] = defaultdict(list)
    for row in session.execute(_query(wanted)):
        who = row.email or (f"run {row.run_id}" if row.run_id else _BY.get(row.cause, row.cause))
        found[row.asset_id].append(
            Change(
                row.id,
                row.asset_id,
                ChangeAction(row.action),
                row.column,
                row.before,
                row.after,
                row.at,
                who,
            )
        )
    return found


def _query(wanted: ColumnElement[bool]) -> Select[Any]:
    change = AssetChange
    columns = (
        change.id,
        change.asset_id,
        change.action,
        change.column,
        change.before,
        change.after,
    )
    return (
        select(*columns, change.at, change.cause, change.run_id, User.email)
        .outerjoin(User, User.id == change.user_id)
        .where(wanted)
        .order_by(change.id)
    )
