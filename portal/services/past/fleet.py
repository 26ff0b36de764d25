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

from sqlalchemy import select

from portal.chunks import chunked
from portal.db import db
from portal.models import Asset, AssetChange
from portal.scope import Clients, allowed_clients, beyond_clients
from portal.services.assets.listing import EVERY, MISSING, RETIRED, AssetFilter
from portal.services.clients import list_client_names
from portal.services.export import ASSET_COLUMNS, Row
from portal.services.past.records import (
    Record,
    Removed,
    are_facts,
    count_unchanged,
    deal_out,
    first_changes,
    list_removed,
    load_changed,
    load_changes,
    load_unchanged,
)
from portal.services.past.walking import Change, PastAsset, find_at, roll_back
from portal.services.plain import plain
from portal.sync.devices.merging.snapshots import row_from_json

UNKNOWN_THEN = (
    *("agent_status", "status_as_of", "status_stale", "last_seen_at", "last_rmm_sync_at"),
    *("boot_time", "uptime_seconds", "superseded_device_ids", "tags"),
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
    removed: list[Removed]
    """Since: of anybody's, to read from."""
    away: set[int]
    """Assets of today that had been made, and were not there: merged or removed for a time."""

    @property
    def present(self) -> list[PastAsset]:
        return [row.asset for row in self.rows if row.asset.is_present]


def read_fleet(moment: datetime) -> Fleet:
    fleet, allowed = read_changed(moment), allowed_clients()
    with beyond_clients():
        unchanged = load_unchanged(moment, fleet.removed)
    fleet.rows.extend(
        PastRow(asset, asset.id)
        for asset in unchanged
        if allowed is None or asset.client_id in allowed
    )
    return fleet


def read_changed(moment: datetime) -> Fleet:
    """Without what was as it is now, which most of a fleet is."""
    allowed = allowed_clients()
    with beyond_clients():
        removed = list_removed(moment)
        records = load_changed(moment, removed)
    there = {
        record.asset.id
        for record in records
        if record.until is None and (allowed is None or record.asset.client_id in allowed)
    }
    rows = list(_find_rows(records, moment, there, allowed))
    known = {row.asset.id for row in rows}
    made = {each.asset.id for each in records if each.asset.created_at < moment}
    return Fleet(moment, rows, removed, made - known if allowed is None else set())


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


def choose_rows(
    rows: Iterable[PastRow], shown: AssetFilter, clients: Mapping[int, str]
) -> list[PastRow]:
    """Those that the filter shows, in its order; of its words those of STATUSES show nothing, as
    nobody knows them of a past day."""
    found = [row for row in rows if _matches(row.asset, shown)]
    found.sort(key=lambda row: (row.asset.name.casefold(), row.asset.id))
    word, is_down = shown.sort.lstrip("-"), shown.sort.startswith("-")
    if word in ("client", "site", "type"):
        found.sort(key=lambda row: _sort_key(row.asset, word, clients), reverse=is_down)
    elif is_down:
        found.reverse()
    return found


def _is_shown(asset: PastAsset, status: str) -> bool:
    if status == MISSING:
        return asset.missing_since is not None and asset.retired_at is None
    if status == RETIRED:
        return asset.retired_at is not None
    return status == EVERY or (status == "" and asset.missing_since is None)


def _sort_key(asset: PastAsset, word: str, clients: Mapping[int, str]) -> str:
    if word == "client":
        return clients.get(asset.client_id, "").casefold()
    return asset.asset_type if word == "type" else (asset.site_name or "").casefold()


def _matches(asset: PastAsset, shown: AssetFilter) -> bool:
    if not _is_shown(asset, shown.status):
        return False
    if shown.client_id is not None and asset.client_id != shown.client_id:
        return False
    if shown.asset_type and asset.asset_type != shown.asset_type:
        return False
    if shown.site_name and asset.site_name != shown.site_name:
        return False
    if shown.os_type and asset.os_type != shown.os_type:
        return False
    if not shown.search:
        return True
    texts = (asset.name, asset.serial_number, asset.description)
    held = " ".join(text for text in texts if text).casefold()
    return all(word in held for word in shown.search.casefold().split())


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
        unchanged = count_unchanged(moment, fleet.removed, allowed)
    for client_id, asset_type, number in unchanged:
        found.setdefault(client_id, Counter())[asset_type] += number
    return found


def read_facts(fleet: Fleet, rows: Sequence[PastRow], clients: Mapping[int, str]) -> Iterator[Row]:
    """All that is known of some of the fleet: the columns of PAST_COLUMNS."""
    merged = _load_merged(fleet)
    for some in chunked(rows, ROWS_AT_ONCE):
        ids = [row.asset.id for row in some]
        now, changes = _load_now(ids), merged.changes | _load_first(ids, merged, fleet.moment)
        for row in some:
            asset_id, client_id = row.asset.id, row.asset.client_id
            facts = now.get(asset_id) or row_from_json(Asset, merged.snapshots[asset_id])
            facts = roll_back(facts, changes.get(asset_id, ()))
            facts["asset_id"] = str(asset_id)
            facts["client"] = clients.get(client_id, DELETED_CLIENT)
            yield {name: plain(facts.get(name)) for name in PAST_COLUMNS}


@dataclass(frozen=True, slots=True)
class _Merged:
    """What was removed since, and all changes of what it went into."""

    snapshots: dict[int, Mapping[str, Any]]
    survivors: set[int]
    changes: dict[int, list[Change]]


def _load_merged(fleet: Fleet) -> _Merged:
    removed, moment = fleet.removed, fleet.moment
    survivors = {each.into_asset_id for each in removed if each.into_asset_id is not None}
    theirs = (AssetChange.asset_id.in_(survivors), AssetChange.at >= moment, are_facts())
    with beyond_clients():
        changes = load_changes(*theirs) if survivors else []
    snapshots = {each.asset_id: each.asset for each in removed}
    return _Merged(snapshots, survivors, deal_out(changes, removed, moment))


def _load_now(asset_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = [getattr(Asset, name) for name in PAST_COLUMNS if name in Asset.__table__.columns]
    with beyond_clients():
        rows = db.session.execute(select(Asset.id, *columns).where(Asset.id.in_(asset_ids)))
        return {row.id: dict(row._mapping) for row in rows}


def _load_first(
    asset_ids: Sequence[int], merged: _Merged, moment: datetime
) -> dict[int, list[Change]]:
    """What the first change of each column since tells of those that no merge has mixed up."""
    ids = [i for i in asset_ids if i not in merged.survivors and i not in merged.snapshots]
    with beyond_clients():
        changes = load_changes(first_changes(ids, moment))
    return deal_out(changes, (), moment)
