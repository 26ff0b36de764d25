"""What stays of assets that a person deletes for good: what lists and bills of past days name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import insert
from portal.models import Asset, AssetChange, RemovedAsset
from portal.models.assets.change import OF_LISTS
from portal.scope import get_tenant_id
from portal.sync.history import to_json

KEPT = (
    *("id", "integration_id", "client_id", "name", "asset_type", "serial_number", "os_type"),
    *("rmm_provider", "rmm_device_id", "rmm_organization_id", "site_id", "site_name"),
    *("missing_since", "retired_at", "created_at"),
)
_CHANGE = ("id", "asset_id", "action", "column", "before", "after", "at")


def keep_for_lists(session: Session, asset_ids: Sequence[int]) -> None:
    """Before they are deleted. Who used them, their addresses and their software go."""
    changes: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    told = select(*(getattr(AssetChange, name) for name in _CHANGE))
    its = AssetChange.asset_id.in_(asset_ids), AssetChange.column.in_(("", *KEPT))
    for row in session.execute(told.where(*its, OF_LISTS).order_by(AssetChange.id)):
        changes[row.asset_id].append({n: to_json(value) for n, value in row._mapping.items()})
    merged = _load_merged(session, asset_ids)
    same = {"tenant_id": get_tenant_id(), "into_asset_id": None, "run_id": None}
    facts = select(*(getattr(Asset, name) for name in KEPT)).where(Asset.id.in_(asset_ids))
    rows = []
    for asset in session.execute(facts.order_by(Asset.id)):
        kept = {name: to_json(value) for name, value in asset._mapping.items()}
        snapshot = {"asset": kept, "changes": changes[asset.id], "merged": merged[asset.id]}
        own = {"integration_id": asset.integration_id, "asset_id": asset.id}
        rows.append(same | own | {"removed_at": utc_now(), "snapshot": snapshot})
    if rows:
        session.execute(insert(RemovedAsset), rows)


def _load_merged(
    session: Session, asset_ids: Sequence[int]
) -> defaultdict[int | None, list[dict[str, Any]]]:
    """What had gone into them, which goes with them."""
    table, found = RemovedAsset, defaultdict(list)
    facts, changes = table.snapshot["asset"], table.snapshot["changes"]
    rows = session.execute(
        select(table.asset_id, table.into_asset_id, table.removed_at, facts, changes)
        .where(table.into_asset_id.in_(asset_ids))
        .order_by(table.id)
    )
    for asset_id, into_id, removed_at, asset, its in rows:
        kept = {name: value for name, value in asset.items() if name in KEPT}
        row = {"asset_id": asset_id, "into_asset_id": into_id, "removed_at": to_json(removed_at)}
        found[into_id].append(row | {"snapshot": {"asset": kept, "changes": its}})
    return found
