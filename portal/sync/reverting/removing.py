"""Assets that are removed with all they have, and come back with it: a handful of statements for
some hundred of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import Base, count_changed, insert
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    AssetTag,
    Client,
    ExternalEntityMapping,
    RemovedAsset,
    SoftwareTitle,
    SupersededAgent,
)
from portal.scope import get_tenant_id
from portal.sync.alerts.links import link_alerts
from portal.sync.alerts.locks import lock_alerts
from portal.sync.devices.arrivals.strangers import find_superseded
from portal.sync.devices.facts import AGENT
from portal.sync.devices.merging.snapshots import forget_lost_users, row_from_json, row_to_json
from portal.sync.history import to_json
from portal.sync.software.store import recount_software_of, refresh_counts

PARTS: Mapping[str, tuple[type[Base], InstrumentedAttribute[Any]]] = {
    "software": (AssetSoftware, AssetSoftware.asset_id),
    "changes": (AssetChange, AssetChange.asset_id),
    "superseded": (SupersededAgent, SupersededAgent.asset_id),
    "entities": (ExternalEntityMapping, ExternalEntityMapping.asset_id),
    "tags": (AssetTag, AssetTag.asset_id),
    "merged": (RemovedAsset, RemovedAsset.into_asset_id),
}
"""What goes with an asset, and comes back in whole rows."""
KNOWN_BY_ID = (Asset, AssetChange, AssetConflict, RemovedAsset)
"""Tables whose ids stand in addresses, or in what is kept of merges."""
IDS_AT_ONCE = 1000


def remove_assets(
    session: Session, integration_id: int, assets: Sequence[Mapping[str, Any]], run_id: int
) -> None:
    """Assets as `{column: value}`, which the caller holds locked. Alerts stay, without an asset."""
    ids = [asset["id"] for asset in assets]
    lock_alerts(session, integration_id)
    snapshots: dict[int, dict[str, Any]] = {
        asset["id"]: {"asset": {name: to_json(value) for name, value in asset.items()}}
        for asset in assets
    }
    for name, parts in _load_parts(session, ids).items():
        for asset_id in ids:
            snapshots[asset_id][name] = parts[asset_id]
    same = {
        "tenant_id": get_tenant_id(),
        "integration_id": integration_id,
        "into_asset_id": None,
        "run_id": run_id,
        "removed_at": utc_now(),
    }
    rows = [same | {"asset_id": each, "snapshot": snapshots[each]} for each in ids]
    session.execute(insert(RemovedAsset), rows)
    count_changed(session, update(Alert).where(Alert.asset_id.in_(ids)).values(asset_id=None))
    count_changed(session, delete(Asset).where(Asset.id.in_(ids)))
    titles = {each["title_id"] for shot in snapshots.values() for each in shot["software"]}
    refresh_counts(session, titles)


def find_obstacles(
    session: Session, integration_id: int, removed: Sequence[RemovedAsset]
) -> dict[int, str]:
    """Why assets cannot come back, by the id that they had: a sentence each."""
    wanted = {row.asset_id: row.snapshot.get("asset") or {} for row in removed}
    agents = {asset[AGENT]: asset_id for asset_id, asset in wanted.items() if asset}
    taken = session.execute(
        select(Asset.rmm_device_id, Asset.name).where(
            Asset.integration_id == integration_id, Asset.rmm_device_id.in_(agents)
        )
    ).all()
    led = find_superseded(session, integration_id, agents, even_revived=False)
    clients = set(session.scalars(select(Client.id)))
    found = {agents[row.rmm_device_id]: f"Its agent is that of {row.name} by now." for row in taken}
    found |= dict.fromkeys((agents[each] for each in led), "Its agent leads to another asset now.")
    for asset_id, asset in wanted.items():
        if not asset:
            found[asset_id] = "What it had is no longer kept."
        elif asset["client_id"] not in clients:
            found[asset_id] = "The client that it had does not exist any more."
    return found


def bring_back(session: Session, integration_id: int, removed: Sequence[RemovedAsset]) -> None:
    """Make the assets anew as they were, under their old ids: those without an obstacle."""
    shots = [row.snapshot for row in removed]
    ids = [row.asset_id for row in removed]
    lock_alerts(session, integration_id)
    _insert(session, Asset, (shot["asset"] for shot in shots))
    titles = {row["title_id"] for shot in shots for row in shot["software"]}
    there = set(session.scalars(select(SoftwareTitle.id).where(SoftwareTitle.id.in_(titles))))
    for name, (table, _owner) in PARTS.items():
        rows: Sequence[Any] = [row for shot in shots for row in shot.get(name, ())]
        if table is AssetSoftware:
            rows = [row for row in rows if row["title_id"] in there]
        elif table is SupersededAgent:
            rows = _leave_led(session, integration_id, rows)
        _insert(session, table, rows)
    _bring_conflicts_back(session, [row for shot in shots for row in shot["conflicts"]])
    _give_alerts_back(session, integration_id, removed)
    recount_software_of(session, ids)
    count_changed(session, delete(RemovedAsset).where(RemovedAsset.id.in_([r.id for r in removed])))


def _load_parts(
    session: Session, ids: Sequence[int]
) -> dict[str, defaultdict[int | None, list[Any]]]:
    """By the part's name and the asset's id: rows as JSON, of alerts the ids."""
    found = {name: _load(session, table, owner, ids) for name, (table, owner) in PARTS.items()}
    found["conflicts"] = _load_conflicts(session, ids)
    found["alerts"] = defaultdict(list)
    alerts = select(Alert.id, Alert.asset_id).where(Alert.asset_id.in_(ids)).order_by(Alert.id)
    for alert_id, asset_id in session.execute(alerts):
        found["alerts"][asset_id].append(alert_id)
    return found


def _load(
    session: Session, table: type[Base], owner: InstrumentedAttribute[Any], ids: Sequence[int]
) -> defaultdict[int | None, list[Any]]:
    rows: defaultdict[int | None, list[Any]] = defaultdict(list)
    for row in session.scalars(
        select(table).where(owner.in_(ids)).order_by(table.__table__.c.id)
    ).all():
        rows[getattr(row, owner.key)].append(row_to_json(row))
        session.expunge(row)
    return rows


def _load_conflicts(session: Session, ids: Sequence[int]) -> defaultdict[int | None, list[Any]]:
    """On whichever side of the question the asset is."""
    own, other = AssetConflict.asset_id, AssetConflict.other_asset_id
    rows: defaultdict[int | None, list[Any]] = defaultdict(list)
    wanted = set(ids)
    found = session.scalars(select(AssetConflict).where(own.in_(ids) | other.in_(ids)))
    for row in found.all():
        side = row.asset_id if row.asset_id in wanted else row.other_asset_id
        rows[side].append(row_to_json(row))
        session.expunge(row)
    return rows


def _bring_conflicts_back(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Where both sides are there."""
    if not rows:
        return
    sides = {row[side] for row in rows for side in ("asset_id", "other_asset_id")} - {None}
    there = {None, *session.scalars(select(Asset.id).where(Asset.id.in_(sides)))}
    whole = [row for row in rows if row["asset_id"] in there and row["other_asset_id"] in there]
    _insert(session, AssetConflict, whole)


def _leave_led(
    session: Session, integration_id: int, rows: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Of superseded agents those that lead nowhere now: where one has gone since, it stays."""
    agents = [row["agent_id"] for row in rows]
    led: set[str] = set()
    for table, agent in ((Asset, Asset.rmm_device_id), (SupersededAgent, SupersededAgent.agent_id)):
        for some in chunked(agents, IDS_AT_ONCE):
            its = (table.integration_id == integration_id, agent.in_(some))
            led.update(session.scalars(select(agent).where(*its)))
    return [row for row in rows if row["agent_id"] not in led]


def _insert(session: Session, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
    """In their order; under their old ids, but for those that stand nowhere and those that other
    rows have by now (SQLite gives the highest one anew)."""
    values = [row_from_json(table, row) for row in rows]
    forget_lost_users(session, table, values)
    if table in KNOWN_BY_ID:
        same = insert(table).on_conflict_do_nothing(index_elements=["id"])
        made = set(session.scalars(same.returning(table.__table__.c.id), values)) if values else ()
        values = [row for row in values if row["id"] not in made]
    for row in values:
        del row["id"]
    if values:
        session.execute(insert(table), values)


def _give_alerts_back(
    session: Session, integration_id: int, removed: Sequence[RemovedAsset]
) -> None:
    """Those that each had, and those that its agent raised meanwhile."""
    agents = {row.snapshot["asset"][AGENT]: row.asset_id for row in removed}
    link_alerts(session, integration_id, list(agents))
    owners = {
        alert_id: row.asset_id for row in removed for alert_id in row.snapshot.get("alerts", ())
    }
    others = session.scalars(  # of agents that an asset had before
        select(Alert.id).where(Alert.id.in_(owners), Alert.asset_id.is_(None))
    )
    by_asset: defaultdict[int, list[int]] = defaultdict(list)
    for alert_id in others:
        by_asset[owners[alert_id]].append(alert_id)
    for asset_id, alert_ids in by_asset.items():
        count_changed(
            session, update(Alert).where(Alert.id.in_(alert_ids)).values(asset_id=asset_id)
        )
