"""A past that never was, written for the demo alone: no real tenant's history is made up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update

from portal.chunks import chunked
from portal.db import db, transaction
from portal.models import Alert, AlertHandling, Asset, AssetChange, AssetSoftware
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.alerts.handling import HandlingState
from portal.services.integrations.current import get_integration

AT_ONCE = 500
REASON = "It was over when it was first read."


@dataclass(frozen=True, slots=True)
class MadeUpAlert:
    """One that is over."""

    asset: Asset
    severity: Severity
    alert_type: str
    message: str
    began_at: datetime
    over_at: datetime


def list_assets() -> list[Asset]:
    """Servers first, then in the order in which they came."""
    found = db.session.scalars(select(Asset).order_by(Asset.id))
    return sorted(found, key=lambda asset: asset.asset_type != "server")


def keep_alerts(alerts: Iterable[MadeUpAlert]) -> None:
    integration_id = get_integration().id
    for some in chunked(list(alerts), AT_ONCE):
        with transaction() as session:
            rows = [
                Alert(
                    integration_id=integration_id,
                    condition="",
                    agent_id=each.asset.rmm_device_id,
                    asset_id=each.asset.id,
                    external_organization_id=each.asset.rmm_organization_id,
                    hostname=each.asset.name,
                    alert_type=each.alert_type,
                    severity=each.severity,
                    message=each.message,
                    status=AlertStatus.RESOLVED,
                    source=AlertSource.BACKFILL,
                    triggered_at=each.began_at,
                    received_at=each.began_at,
                    confirmed_at=each.over_at,
                    resolved_at=each.over_at,
                )
                for each in some
            ]
            session.add_all(rows)
            session.flush()
            session.add_all(
                AlertHandling(
                    alert_id=row.id,
                    occurrence=1,
                    state=HandlingState.SILENT,
                    reason=REASON,
                    began_at=row.triggered_at,
                    noticed_at=row.triggered_at,
                    over_at=row.resolved_at,
                    due_at=None,
                )
                for row in rows
            )


def move_back(came_at: Mapping[int, datetime]) -> None:
    """As if each asset, by its id, had come at that moment, with what is installed on it."""
    if not came_at:
        return
    rows = [{"asset": asset_id, "moment": at} for asset_id, at in came_at.items()]
    moved = (Asset.id, Asset.created_at), (AssetChange.asset_id, AssetChange.at)
    with transaction() as session:
        for key, moment in (*moved, (AssetSoftware.asset_id, AssetSoftware.first_seen_at)):
            table = key.class_.__table__
            session.connection().execute(
                update(table)
                .where(table.c[key.key] == bindparam("asset"))
                .values({moment.key: bindparam("moment")}),
                rows,
            )
