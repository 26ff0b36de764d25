"""Every asset that there was since a moment, with what became of it since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    TextClause,
    and_,
    case,
    func,
    not_,
    or_,
    select,
)

from portal.db import UtcDateTime, db, is_among
from portal.models import Asset, AssetChange, RemovedAsset
from portal.models.assets.change import OF_LISTS, ChangeAction
from portal.scope import Clients
from portal.services.past.walking import LONG_AGO, Change, PastAsset
from portal.sync.devices.merging.snapshots import row_from_json

MOST_NAMED = 5000
_NO_FACT = (ChangeAction.CREATED, ChangeAction.RELEASED)
_COLUMNS = [getattr(Asset, name) for name in PastAsset._fields[:-1]]
_PLAIN = [
    getattr(Asset, name) for name in PastAsset._fields if name not in PastAsset._field_defaults
]
_OF_LISTS = frozenset({"", *PastAsset._fields})
PRESENCE = ("", "missing_since")
"""The columns that tell whether Tactical listed an asset."""
_MOMENTS = frozenset(
    column.name for column in Asset.__table__.columns if isinstance(column.type, UtcDateTime)
)


class Removed(NamedTuple):
    """An asset that is no more. `snapshot` is what was kept of it: `{"asset": {column: value},
    "changes": …, "merged": …}`; of one that was merged, `changes` are the ids of those that the
    asset has now that it went into."""

    asset_id: int
    into_asset_id: int | None
    removed_at: datetime
    asset: Mapping[str, Any]
    changes: Sequence[Any]
    merged: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Record:
    """`asset` is what it is now, or was when it was removed; `changes` are those since the moment,
    the newest first."""

    asset: PastAsset
    until: datetime | None = None
    """When it was removed."""
    into_id: int | None = None
    """The asset that it went into."""
    changes: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """What is not now as it was just before `since`, or is not listed, of the clients that it was
    asked for; what was `removed` since, of anybody's, is among the records. `ids` are those of all
    of them. Of `columns` alone it was looked at whether they changed."""

    since: datetime
    columns: Collection[str]
    removed: Sequence[Removed]
    records: Sequence[Record]
    ids: Collection[int]


def load_records(since: datetime, client_id: int) -> list[Record]:
    """Of what was this client's at any time since, and maybe others, in three statements: the
    caller sees to it who is shown what."""
    removed = list_removed(since)
    of_client = _may_have_been_of({client_id}, since, find_survivors(removed))
    of_its = AssetChange.asset_id.in_(select(Asset.id).where(of_client))
    return _make_records(since, removed, Asset.created_at, of_client, of_its)


def load_changed(
    since: datetime, clients: Clients, columns: Collection[str] = _OF_LISTS
) -> Changed:
    """All that cannot be taken as it is now, in three statements: with the changes alone that tell
    how it was just before `since`. `columns`: to whoever looks at no others, an asset of which
    others changed is as it was. `clients`: of what was theirs at any time since, and maybe
    others."""
    removed, looked_at = list_removed(since), _tells_of(columns)
    survivors = find_survivors(removed)
    tell_before = and_(looked_at, _tell_before(since, survivors))
    is_changed = _is_changed(since, removed, looked_at)
    if clients is not None:
        is_changed = and_(is_changed, _may_have_been_of(clients, since, survivors))
    records = _make_records(since, removed, _made_since(since), is_changed, tell_before)
    return Changed(since, columns, removed, records, {each.asset.id for each in records})


def load_unchanged(changed: Changed, clients: Clients) -> list[PastAsset]:
    """All others, which Tactical lists and listed. `clients`: of theirs alone."""
    rows = db.session.execute(list_plain().where(is_unchanged(changed), *_are_of(clients)))
    return [PastAsset(*row) for row in rows]


def list_plain() -> Select[Any]:
    """Of assets of today what makes them a `PastAsset`."""
    return select(*_PLAIN)


def count_unchanged(changed: Changed, clients: Clients) -> Sequence[tuple[int, str, int]]:
    """Of how many of these each client has, by type. `clients`: of theirs alone."""
    rows = db.session.execute(
        select(Asset.client_id, Asset.asset_type, func.count())
        .where(is_unchanged(changed), *_are_of(clients))
        .group_by(Asset.client_id, Asset.asset_type)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _are_of(clients: Clients) -> list[ColumnElement[bool]]:
    return [] if clients is None else [Asset.client_id.in_(clients)]


def is_unchanged(changed: Changed) -> ColumnElement[bool]:
    """Named they are soon left out, unless they are too many for a statement."""
    if len(changed.ids) > MOST_NAMED:
        return not_(_is_changed(changed.since, changed.removed, _tells_of(changed.columns)))
    stands = Asset.missing_since.is_(None), Asset.created_at < changed.since
    return and_(*stands, not_(is_among(Asset.id, sorted(changed.ids))))


def _tells_of(columns: Collection[str]) -> ColumnElement[bool]:
    if columns == _OF_LISTS:
        return and_(OF_LISTS)
    return and_(OF_LISTS, AssetChange.column.in_(columns))


def _is_changed(
    since: datetime, removed: Sequence[Removed], looked_at: ColumnElement[bool]
) -> ColumnElement[bool]:
    """What changed or came since, is missing, or was merged with something. The rest is most of a
    fleet."""
    table = AssetChange
    mixed = find_survivors(removed) | {each.asset_id for each in removed}
    return or_(
        Asset.missing_since.is_not(None),
        Asset.retired_at.is_not(None),
        Asset.created_at >= since,
        Asset.id.in_(select(table.asset_id).where(table.at >= since, looked_at)),
        is_among(Asset.id, sorted(mixed)),
    )


def find_survivors(removed: Iterable[Removed]) -> set[int]:
    """The assets that something went into."""
    return {each.into_asset_id for each in removed if each.into_asset_id is not None}


def _make_records(
    since: datetime,
    removed: Sequence[Removed],
    made_at: SQLColumnExpression[datetime | None],
    wanted: ColumnElement[bool],
    changes: ColumnElement[bool],
) -> list[Record]:
    rows = db.session.execute(select(*_COLUMNS, made_at).where(wanted))
    assets = [PastAsset._make((*facts, made or LONG_AGO)) for *facts, made in rows]
    records = {asset.id: Record(asset) for asset in assets}
    for each in removed:
        facts = row_from_json(Asset, each.asset)
        asset = PastAsset._make(facts.get(name) for name in PastAsset._fields)
        records[each.asset_id] = Record(asset, each.removed_at, each.into_asset_id)
    found = load_changes(AssetChange.at >= since, OF_LISTS, changes)
    for asset_id, own in deal_out(found, removed, since).items():
        if asset_id in records:
            records[asset_id].changes = [each for each in own if each.column in _OF_LISTS]
    return list(records.values())


def _may_have_been_of(
    clients: Collection[int], since: datetime, survivors: Collection[int]
) -> ColumnElement[bool]:
    """Their assets, those that ever moved since, and what something was merged into."""
    table = AssetChange
    moved = select(table.asset_id).where(table.at >= since, OF_LISTS, table.column == "client_id")
    mixed = is_among(Asset.id, sorted(survivors))
    return or_(Asset.client_id.in_(clients), Asset.id.in_(moved), mixed)


def _made_since(since: datetime) -> ColumnElement[datetime | None]:
    """Of most there is nothing to read."""
    return case((Asset.created_at >= since, Asset.created_at))


def _tell_before(since: datetime, survivors: Collection[int]) -> ColumnElement[bool]:
    """The first change of each column, and where an asset was away. Of what something was merged
    into all: the first one may be that of the other."""
    table = AssetChange
    first = (
        select(func.min(table.id))
        .where(table.at >= since, OF_LISTS)
        .group_by(table.asset_id, table.column)
    )
    mixed = is_among(table.asset_id, sorted(survivors))
    return or_(table.id.in_(first), table.column == "", mixed)


def load_changes(*conditions: ColumnElement[bool] | TextClause) -> list[Change]:
    """In no order. What came after is told of assets that came back alone."""
    table = AssetChange
    after = case((table.column == "", table.after))
    columns = (table.id, table.asset_id, table.at, table.column, table.before, after)
    rows = db.session.execute(select(*columns).where(*conditions))
    return [_to_change(*row) for row in rows]


def list_removed(since: datetime) -> list[Removed]:
    """What was removed since, the newest first; also what had gone into something removed."""
    table, snapshot = RemovedAsset, RemovedAsset.snapshot
    rows = db.session.execute(
        select(table.asset_id, table.into_asset_id, table.removed_at)
        .add_columns(snapshot["asset"], snapshot["changes"], snapshot["merged"])
        .where(table.removed_at >= since)
    )
    found = [Removed._make((*row[:3], row[3] or {}, row[4] or (), row[5] or ())) for row in rows]
    found += [_read_merged(row) for each in found for row in each.merged]
    found = [each for each in found if each.removed_at >= since and each.asset]
    return sorted(found, key=attrgetter("removed_at"), reverse=True)


def deal_out(
    changes: Iterable[Change], removed: Sequence[Removed], since: datetime
) -> dict[int, list[Change]]:
    """The changes by the asset that they happened to, the newest first: a merge gave those of the
    one to the other. Of what is removed, the last to go comes first."""
    by_id = {change.id: change for change in changes}
    for each in removed:
        if each.into_asset_id is None:
            rows = [_read_change(row) for row in each.changes if _is_fact(row)]
            by_id |= {change.id: change for change in rows if change.at >= since}
    for each in removed:
        if each.into_asset_id is not None:
            for change_id in each.changes:
                if (change := by_id.get(change_id)) is not None:
                    by_id[change_id] = change._replace(asset_id=each.asset_id)
    dealt: dict[int, list[Change]] = defaultdict(list)
    for change in sorted(by_id.values(), key=attrgetter("id"), reverse=True):
        dealt[change.asset_id].append(change)
    return dealt


def first_changes(asset_ids: Sequence[int], since: datetime) -> ColumnElement[bool]:
    """Of each column of these assets the first change since: it tells what was before."""
    first = (
        select(func.min(AssetChange.id))
        .where(
            AssetChange.asset_id.in_(asset_ids),
            AssetChange.at >= since,
            AssetChange.action.not_in(_NO_FACT),
        )
        .group_by(AssetChange.asset_id, AssetChange.column)
    )
    return AssetChange.id.in_(first)


def are_facts() -> ColumnElement[bool]:
    return AssetChange.action.not_in(_NO_FACT)


def _read_change(row: Mapping[str, Any]) -> Change:
    """Of a row that was kept as JSON."""
    at, before, after = _to_moment(row["at"]), row["before"], row["after"]
    return _to_change(row["id"], row["asset_id"], at, row["column"], before, after)


def _to_change(
    id: int, asset_id: int, at: datetime, column: str, before: Any, after: Any
) -> Change:
    if column == "":
        since = after.get("absent_since") if isinstance(after, dict) else None
        return Change(id, asset_id, at, "", None, since and _to_moment(since))
    return Change(id, asset_id, at, column, _to_moment(before) if column in _MOMENTS else before)


def _is_fact(row: Mapping[str, Any]) -> bool:
    return row["action"] not in _NO_FACT


def _read_merged(row: Mapping[str, Any]) -> Removed:
    shot = row["snapshot"]
    at, into = _to_moment(row["removed_at"]), row["into_asset_id"]
    return Removed(row["asset_id"], into, at, shot["asset"], shot["changes"], ())


def _to_moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
