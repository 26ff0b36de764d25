"""What a run did to assets, how they stand, and what became of them since: three statements for
any number of assets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.chunks import chunked
from portal.models import Asset, AssetChange, Client, User
from portal.models.assets.change import ChangeAction
from portal.sync.devices.facts import AGENT
from portal.sync.history import to_json
from portal.sync.reverting.plan import CLIENT, MISSING, AssetRevert, Change, plan_asset
from portal.sync.runs.cause import PERSON

ASSET_COLUMNS = tuple(
    name for name, column in Asset.__table__.columns.items() if column.computed is None
)
PREVIEWED_AT_ONCE = 10_000
_NAMED = frozenset({"id", "name", AGENT, MISSING})
"""What every decision tells of its asset."""
_TOLD = (
    *(AssetChange.id, AssetChange.asset_id, AssetChange.action, AssetChange.column),
    *(AssetChange.before, AssetChange.after, AssetChange.at),
)
_BY = {"command": "a command", PERSON: "a person who is gone"}


@dataclass(frozen=True, slots=True)
class StoredRevert:
    """A decision, and the asset that it is about as it stands: `{column: value}`."""

    revert: AssetRevert
    asset: dict[str, Any]


def load_assets(
    session: Session,
    *conditions: ColumnElement[bool],
    lock: bool,
    columns: Collection[str] = ASSET_COLUMNS,
) -> list[dict[str, Any]]:
    """`{column: value}`, by id: whole rows without what the database computes, or some columns."""
    rows = select(*(getattr(Asset, name) for name in columns)).where(*conditions).order_by(Asset.id)
    rows = rows.with_for_update(of=Asset) if lock else rows
    return [dict(row._mapping) for row in session.execute(rows)]


def list_changed_assets(session: Session, run_id: int) -> list[int]:
    """The ids of the assets that there are and that the run changed, in order."""
    changed = select(AssetChange.asset_id).where(AssetChange.run_id == run_id).distinct()
    return list(session.scalars(changed.order_by(AssetChange.asset_id)))


def list_clients(session: Session) -> set[int]:
    """The ids of all."""
    return set(session.scalars(select(Client.id)))


def preview_reverts(
    session: Session, run_id: int, asset_ids: Sequence[int], clients: Set[int]
) -> Iterator[AssetRevert]:
    """As `plan_reverts` decides, of any number of assets in order of their ids: of each, no more
    is read than the columns that the run changed."""
    for some in chunked(asset_ids, PREVIEWED_AT_ONCE):
        wanted = set(some)
        changed = AssetChange.asset_id.between(some[0], some[-1])
        own = _load_own(session, run_id, changed)
        named = {change.column for changes in own.values() for change in changes}
        columns = [name for name in ASSET_COLUMNS if name in named | _NAMED]
        of_run = select(AssetChange.asset_id).where(AssetChange.run_id == run_id, changed)
        assets = load_assets(session, Asset.id.in_(of_run), lock=False, columns=columns)
        for each in _plan_all(session, run_id, assets, own, changed, clients):
            if each.asset["id"] in wanted:
                yield each.revert


def plan_reverts(
    session: Session, run_id: int, asset_ids: Sequence[int], lock: bool = False
) -> list[StoredRevert]:
    """A decision for each of these assets that the run changed."""
    assets = load_assets(session, Asset.id.in_(asset_ids), lock=lock)
    changed = AssetChange.asset_id.in_(asset_ids)
    own = _load_own(session, run_id, changed)
    moves = any(each.column == CLIENT for changes in own.values() for each in changes)
    clients = list_clients(session) if moves else set[int]()
    return _plan_all(session, run_id, assets, own, changed, clients)


def _plan_all(
    session: Session,
    run_id: int,
    assets: Iterable[dict[str, Any]],
    own: Mapping[int, list[Change]],
    changed: ColumnElement[bool],
    clients: Set[int],
) -> list[StoredRevert]:
    later = _load_later(session, changed & _is_later(run_id))
    taken = _find_taken(session, own)
    return [
        StoredRevert(
            plan_asset(
                {name: to_json(value) for name, value in asset.items()},
                own[asset["id"]],
                later.get(asset["id"], ()),
                clients,
                taken,
            ),
            asset,
        )
        for asset in assets
        if asset["id"] in own
    ]


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


def _load_own(
    session: Session, run_id: int, wanted: ColumnElement[bool]
) -> dict[int, list[Change]]:
    """What the run did, by asset."""
    found: defaultdict[int, list[Change]] = defaultdict(list)
    rows = select(*_TOLD).where(AssetChange.run_id == run_id, wanted).order_by(AssetChange.id)
    for row in session.execute(rows):
        found[row.asset_id].append(_make_change(row, f"run {run_id}"))
    return dict(found)


def _load_later(session: Session, wanted: ColumnElement[bool]) -> dict[int, list[Change]]:
    """What others did, by asset."""
    found: defaultdict[int, list[Change]] = defaultdict(list)
    rows = (
        select(*_TOLD, AssetChange.cause, AssetChange.run_id, User.email)
        .outerjoin(User, User.id == AssetChange.user_id)
        .where(wanted)
        .order_by(AssetChange.id)
    )
    for row in session.execute(rows):
        who = row.email or (f"run {row.run_id}" if row.run_id else _BY.get(row.cause, row.cause))
        found[row.asset_id].append(_make_change(row, who))
    return dict(found)


def _make_change(row: Row[Any], who: str) -> Change:
    told = row.id, row.asset_id, ChangeAction(row.action), row.column, row.before, row.after
    return Change(*told, row.at, who)
