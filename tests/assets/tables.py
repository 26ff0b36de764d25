"""Two computers of one client with all that assets have; and the tables that a merge touches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.clock import utc_now
from portal.db import Base, db, transaction
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    AssetTag,
    ExternalEntityMapping,
    RemovedAsset,
    SoftwareTitle,
    SupersededAgent,
)
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.runs.sync_run import SyncKind
from portal.sync.devices.merging.merge import merge_into
from portal.sync.devices.merging.snapshots import row_to_json
from portal.sync.runs.cause import Cause
from tests.support.msp import Msp

TABLES: tuple[type[Base], ...] = (
    Asset,
    Alert,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    AssetTag,
    ExternalEntityMapping,
    RemovedAsset,
    SoftwareTitle,
    SupersededAgent,
)
NOBODY_KNOWS = {AssetSoftware, AssetTag, ExternalEntityMapping, SupersededAgent}
"""Tables whose ids stand nowhere."""

Rows = dict[str, list[dict[str, Any]]]


def read_tables() -> Rows:
    """All rows of all that a merge touches; but for what taking it back says in the history."""
    tables = {}
    for table in TABLES:
        rows = [row_to_json(row) for row in db.session.scalars(select(table))]
        if table in NOBODY_KNOWS:
            rows = [row | {"id": None} for row in rows]
        if table is AssetChange:
            rows = [row for row in rows if row["action"] not in ("merged", "reverted")]
        tables[table.__tablename__] = sorted(rows, key=str)
    db.session.rollback()
    return tables


def import_pair(msp: Msp) -> tuple[int, int]:
    """A fleet with software; two assets of one client, each with an alert, by id."""
    msp.import_fleet()
    msp.sync(SyncKind.SOFTWARE)
    assets = list(db.session.scalars(select(Asset).order_by(Asset.id)))
    db.session.rollback()
    first = assets[0]
    second = next(each for each in assets[1:] if each.client_id == first.client_id)
    for asset in (first, second):
        msp.tactical.control.agents.edit(asset.rmm_device_id, description=f"of {asset.id}")
        add_alert(asset)
    with transaction() as session:
        for asset in (first, second):
            session.get_one(Asset, asset.id).note = f"Note of {asset.id}"
    msp.sync()
    return first.id, second.id


def add_alert(asset: Asset) -> None:
    with transaction() as session:
        session.add(
            Alert(
                integration_id=asset.integration_id,
                external_alert_id=None,
                condition=f"condition of {asset.id}",
                agent_id=asset.rmm_device_id,
                asset_id=asset.id,
                alert_type="check",
                severity=Severity.WARNING,
                status=AlertStatus.ACTIVE,
                triggered_at=utc_now(),
                source=AlertSource.WEBHOOK,
            )
        )


def add_conflict(asset_id: int, other_id: int | None, kind: str = "clone") -> int:
    asset = get(Asset, asset_id)
    with transaction() as session:
        conflict = AssetConflict(
            integration_id=asset.integration_id,
            kind=kind,
            agent_id=asset.rmm_device_id,
            asset_id=asset_id,
            other_asset_id=other_id,
            reason="They have one serial number.",
            evidence={},
        )
        session.add(conflict)
        session.flush()
        return conflict.id


def change(asset_id: int, **values: Any) -> None:
    with transaction() as session:
        asset = session.get_one(Asset, asset_id)
        for name, value in values.items():
            setattr(asset, name, value)


def see_last(asset_id: int, other_id: int) -> None:
    """The first was seen after the second."""
    now = utc_now()
    change(asset_id, last_seen_at=now)
    change(other_id, last_seen_at=now - timedelta(hours=1))


def get(table: type[Any], row_id: int) -> Any:
    found = db.session.get(table, row_id, populate_existing=True)
    db.session.rollback()
    assert found is not None
    return found


def merge(keep_id: int, other_id: int, **options: Any) -> int:
    """The id of the row that remembers it."""
    with transaction() as session:
        return merge_into(
            session, keep_id, other_id, Cause.of_person(None), utc_now(), **options
        ).id
