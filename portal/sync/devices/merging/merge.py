"""Two assets that are one computer become one asset. All of it can be taken back: `unmerge`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from portal.errors import NotFound
from portal.events.outbox import Happening, record_events
from portal.models import Alert, Asset, AssetChange, Integration, RemovedAsset
from portal.models.assets.asset import LOCKS
from portal.models.assets.change import ChangeAction
from portal.models.events.event import EventType
from portal.sync.alerts.locks import lock_alerts
from portal.sync.devices.device_events import retirement_event
from portal.sync.devices.facts import VITALS
from portal.sync.devices.merging.naming import follow_asset
from portal.sync.devices.merging.parts import (
    Pair,
    move_conflicts,
    move_entity,
    move_tickets,
    supersede_loser,
    unite_tags,
)
from portal.sync.devices.merging.rules import check_mergeable, choose_current, plan_merged
from portal.sync.devices.merging.snapshots import row_to_json
from portal.sync.history import ColumnChange, record_changes, to_json
from portal.sync.runs.cause import Cause
from portal.sync.software.merge import (
    SoftwareOf,
    combine,
    installs_to_json,
    load_installs_of,
    replace_installs_of,
)
from portal.sync.software.store import refresh_counts

UNTOLD = frozenset(
    {
        *VITALS,
        *("agent_status", "status_at", "last_rmm_sync_at", "software_read_at", "absent_runs"),
        *("note_at", "note_by"),
        *LOCKS.values(),
    }
)
"""Columns that the history leaves out: looks move them, or they go with another column."""


def merge_into(
    session: Session,
    keep_id: int,
    other_id: int,
    cause: Cause,
    now: datetime,
    agent_of: int | None = None,
) -> RemovedAsset:
    """Have one asset of both, under the id `keep_id`, in the caller's transaction.

    Alerts, software, history, superseded agents and conflicts of the other come along, rules and
    maintenance windows that name it name this one, and its address leads here. The asset has the
    agent that is listed or was seen last; or that of the asset with the id `agent_of`, where the
    caller knows better. The other agent is superseded.
    `now` is by Tactical's clock. Raises NotFound and Refused.
    """
    keep, other, set_aside = load_pair(session, keep_id, other_id)
    check_mergeable(keep, other, set_aside)
    current = choose_current(keep, other, set_aside)
    if agent_of is not None:
        current = keep if agent_of == keep_id else other
    for integration_id in sorted({keep.integration_id, other.integration_id}):
        lock_alerts(session, integration_id)
    pair = Pair(keep, other, current)
    snapshot = _move_all(session, pair, cause, now)
    _write_asset(session, pair)
    snapshot["kept"]["after"] = row_to_json(keep)
    refresh_counts(session, _titles_of(snapshot))
    _tell(session, pair, snapshot["kept"]["before"], cause)
    removed = RemovedAsset(
        integration_id=other.integration_id,
        asset_id=other_id,
        into_asset_id=keep_id,
        run_id=cause.run_id,
        snapshot=snapshot,
    )
    session.add(removed)
    session.flush()
    return removed


def load_pair(session: Session, keep_id: int, other_id: int) -> tuple[Asset, Asset, set[int]]:
    """Both assets, locked in order of their ids, and the ids of the integrations that are set
    aside. Raises NotFound."""
    rows = session.scalars(
        select(Asset)
        .where(Asset.id.in_([keep_id, other_id]))
        .order_by(Asset.id)
        .options(joinedload(Asset.client, innerjoin=True))
        .with_for_update(of=Asset)
        .execution_options(populate_existing=True)
    )
    found = {asset.id: asset for asset in rows}
    if not {keep_id, other_id} <= found.keys():
        raise NotFound(
            "One of the two assets does not exist any more. Choose both from the list of assets."
        )
    return found[keep_id], found[other_id], load_set_aside(session)


def load_set_aside(session: Session) -> set[int]:
    """The ids of the integrations that are set aside."""
    set_aside = select(Integration.id).where(Integration.set_aside_at.is_not(None))
    return set(session.scalars(set_aside))


def _move_all(session: Session, pair: Pair, cause: Cause, now: datetime) -> dict[str, Any]:
    """Give the kept asset what refers to the other one; the snapshot of what was before."""
    keep, other = pair.keep, pair.other
    # Not before it was seen last: it would count as revived at once.
    superseded_at = max(now, pair.loser.last_seen_at or now)
    entities = move_entity(session, pair)
    kept, others = (
        SoftwareOf(asset.software_read_at, load_installs_of(session, asset.id))
        for asset in (keep, other)
    )
    if others.read_at is not None:
        replace_installs_of(session, keep.id, combine(kept, others))
    return {
        "asset": row_to_json(other),
        "entity": entities.get(other.id),
        "software": installs_to_json(others.installs),
        "alerts": _move(session, Alert.asset_id, pair),
        "changes": _move(session, AssetChange.asset_id, pair),
        "removed": _move(session, RemovedAsset.into_asset_id, pair),
        "superseded": supersede_loser(session, pair, cause, superseded_at),
        "conflicts": move_conflicts(session, pair, cause, now),
        "tags": unite_tags(session, pair),
        "tickets": move_tickets(session, other.id, keep.id),
        "named": follow_asset(session, other.id, keep.id),
        "kept": {
            "before": row_to_json(keep),
            "entity": entities.get(keep.id),
            "software": installs_to_json(kept.installs),
            "superseded_at": to_json(superseded_at),
        },
    }


def _move(session: Session, owner: InstrumentedAttribute[Any], pair: Pair) -> list[int]:
    """Rows of the other asset become those of the kept one; their ids."""
    table: Any = owner.class_
    moved = session.scalars(
        update(table)
        .where(owner == pair.other.id)
        .values({owner: pair.keep.id})
        .returning(table.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(moved)


def _write_asset(session: Session, pair: Pair) -> None:
    values = plan_merged(pair.keep, pair.other, pair.current)
    session.execute(
        delete(Asset).where(Asset.id == pair.other.id).execution_options(synchronize_session=False)
    )
    session.expunge(pair.other)
    for name, value in values.items():
        setattr(pair.keep, name, value)
    session.flush()


def _titles_of(snapshot: dict[str, Any]) -> set[int]:
    rows = (*snapshot["software"], *snapshot["kept"]["software"])
    return {row["title_id"] for row in rows}


def _tell(session: Session, pair: Pair, before: dict[str, Any], cause: Cause) -> None:
    """In the history of the asset, and to whoever listens."""
    keep, other = pair.keep, pair.other
    rows = [
        ColumnChange(
            keep.id, ChangeAction.MERGED, before={"asset_id": other.id, "name": other.name}
        )
    ]
    after = row_to_json(keep)
    rows += [
        ColumnChange(keep.id, ChangeAction.MERGED, name, before[name], value)
        for name, value in after.items()
        if value != before[name] and name not in UNTOLD
    ]
    record_changes(session, cause, rows)
    about = {
        "asset_id": keep.id,
        "client_id": keep.client_id,
        "rmm_device_id": keep.rmm_device_id,
        "name": keep.name,
        "merged_asset_id": other.id,
    }
    news: list[Happening] = [(EventType.DEVICE_MERGED, keep.name, about)]
    record_events(session, news + tell_retirement(keep, before))


def tell_retirement(keep: Asset, before: dict[str, Any]) -> list[Happening]:
    """The event, where a merge or its undoing restored or retired the asset."""
    if (keep.retired_at is None) is (before["retired_at"] is None):
        return []
    return [
        retirement_event(
            asset_id=keep.id,
            rmm_device_id=keep.rmm_device_id,
            name=keep.name,
            client_id=keep.client_id,
            retired_at=keep.retired_at,
            missing_since=keep.missing_since,
        )
    ]
