"""The fleet as it was at the end of a past day, rebuilt from the history of assets.

Whoever is limited to some clients sees what was theirs on that day: the history of all is read,
and what belonged to others is left out of the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select

from portal.chunks import chunked
from portal.db import db, is_among
from portal.models import Asset, AssetChange
from portal.scope import Clients, allowed_clients, beyond_clients
from portal.services.clients import list_client_names
from portal.services.export import ASSET_COLUMNS, Row
from portal.services.past.records import (
    PRESENCE,
    Changed,
    Record,
    Removed,
    are_facts,
    count_unchanged,
    deal_out,
    find_survivors,
    first_changes,
    load_changed,
    load_changes,
    load_unchanged,
)
from portal.services.past.walking import Change, PastAsset, find_at, roll_back
from portal.services.plain import plain
from portal.sync.devices.merging.snapshots import row_from_json

UNKNOWN_THEN = (
    *("agent_status", "status_as_of", "status_stale", "last_seen_at", "last_rmm_sync_at"),
    *("boot_time", "uptime_seconds", "superseded_device_ids", "tags", "note_at"),
)
"""Columns of an export that no history tells of: what each look moves, and words of people."""
PAST_COLUMNS = tuple(name for name in ASSET_COLUMNS if name not in UNKNOWN_THEN)
ROWS_AT_ONCE = 500
DELETED_CLIENT = "a deleted client"


class PastRow(NamedTuple):
    """`leads_to`: the asset that it is now, or went into, for whoever may see that."""

    asset: PastAsset
    leads_to: int | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All assets that there were just before the moment, missing and retired ones too; or those
    alone that are not now as they were, or that Tactical does not list."""

    moment: datetime
    rows: list[PastRow]
    changed: Changed
    """Of anybody's, to read from."""
    away: set[int]
    """Assets of today that had been made, and were not there: merged or removed for a time."""

    @property
    def removed(self) -> Sequence[Removed]:
        """Since."""
        return self.changed.removed

    @property
    def present(self) -> list[PastAsset]:
        return [row.asset for row in self.rows if row.asset.is_present]


def read_fleet(moment: datetime) -> Fleet:
    fleet, allowed = read_changed(moment), allowed_clients()
    with beyond_clients():
        unchanged = load_unchanged(fleet.changed, allowed)
    fleet.rows.extend(PastRow(asset, asset.id) for asset in unchanged)
    return fleet


def read_changed(moment: datetime) -> Fleet:
    """Without what was as it is now, which most of a fleet is."""
    allowed = allowed_clients()
    with beyond_clients():
        changed = load_changed(moment, allowed)
    return _find_fleet(changed)


def read_presence(moment: datetime) -> Fleet:
    """Without what was listed as it is now, for whoever asks of all clients for nothing else."""
    with beyond_clients():
        changed = load_changed(moment, None, PRESENCE)
    return _find_fleet(changed)


def _find_fleet(changed: Changed) -> Fleet:
    records, moment, allowed = changed.records, changed.since, allowed_clients()
    there = {
        record.asset.id
        for record in records
        if record.until is None and (allowed is None or record.asset.client_id in allowed)
    }
    rows = list(_find_rows(records, moment, there, allowed))
    known = {row.asset.id for row in rows}
    made = {each.asset.id for each in records if each.asset.created_at < moment}
    return Fleet(moment, rows, changed, made - known if allowed is None else set())


def _find_rows(
    records: Sequence[Record], moment: datetime, there: set[int], allowed: Clients
) -> Iterator[PastRow]:
    for record in records:
        asset: PastAsset | None = record.asset
        if record.changes or record.until or record.asset.created_at >= moment:
            asset = find_at(moment, record.asset, record.changes, record.until)
        if asset is not None and (allowed is None or asset.client_id in allowed):
            now = asset.id if record.until is None else record.into_id
            yield PastRow(asset, now if now in there else None)


def name_clients(assets: Iterable[PastAsset]) -> dict[int, str]:
    """By id, as they are called today; of those that are not theirs any more nothing is said."""
    return list_client_names(asset.client_id for asset in assets)


def count_types(assets: Iterable[PastAsset]) -> Counter[str]:
    return Counter(asset.asset_type for asset in assets)


def count_by_client(moment: datetime) -> dict[int, Counter[str]]:
    """By client: how many assets of each type Tactical listed just before the moment."""
    fleet, allowed = read_changed(moment), allowed_clients()
    found: dict[int, Counter[str]] = {}
    for asset in fleet.present:
        found.setdefault(asset.client_id, Counter())[asset.asset_type] += 1
    with beyond_clients():
        unchanged = count_unchanged(fleet.changed, allowed)
    for client_id, asset_type, number in unchanged:
        found.setdefault(client_id, Counter())[asset_type] += number
    return found


def read_facts(fleet: Fleet, rows: Sequence[PastRow], clients: Mapping[int, str]) -> Iterator[Row]:
    """All that is known of some of the fleet: the columns of PAST_COLUMNS."""
    snapshots = {each.asset_id: each.asset for each in fleet.removed}
    merged: dict[int, list[Change]] | None = None
    for some in chunked(rows, ROWS_AT_ONCE):
        ids = [row.asset.id for row in some]
        now, found = _load_now(ids), _load_told(fleet, ids, with_merged=merged is None)
        merged = found if merged is None else merged
        for row in some:
            asset_id, client_id = row.asset.id, row.asset.client_id
            facts = now.get(asset_id) or row_from_json(Asset, snapshots[asset_id])
            facts = roll_back(facts, found.get(asset_id) or merged.get(asset_id) or ())
            facts["asset_id"] = str(asset_id)
            facts["client"] = clients.get(client_id, DELETED_CLIENT)
            yield {name: plain(facts.get(name)) for name in PAST_COLUMNS}


def _load_now(asset_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = [getattr(Asset, name) for name in PAST_COLUMNS if name in Asset.__table__.columns]
    with beyond_clients():
        rows = db.session.execute(select(Asset.id, *columns).where(Asset.id.in_(asset_ids)))
        return {row.id: dict(row._mapping) for row in rows}


def _load_told(
    fleet: Fleet, asset_ids: Sequence[int], *, with_merged: bool
) -> dict[int, list[Change]]:
    """What the first change of each column since tells of those that no merge has mixed up; and
    all changes of what was removed since, and of what it went into."""
    moment, removed = fleet.moment, fleet.removed if with_merged else ()
    survivors = find_survivors(fleet.removed)
    mixed = survivors | {each.asset_id for each in fleet.removed}
    wanted = first_changes([i for i in asset_ids if i not in mixed], moment)
    if with_merged and survivors:
        theirs = is_among(AssetChange.asset_id, sorted(survivors))
        wanted = or_(wanted, and_(theirs, AssetChange.at >= moment, are_facts()))
    with beyond_clients():
        return deal_out(load_changes(wanted), removed, moment)
