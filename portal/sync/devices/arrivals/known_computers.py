"""What is stored about computers, as the ladder of identity compares it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.models import Asset, AssetConflict, Integration, SupersededAgent
from portal.models.assets.conflict import Settlement
from portal.sync.devices.absence import Absence
from portal.sync.devices.arrivals.strangers import Listed, Walk
from portal.sync.devices.identity.computers import KnownComputer, Superseded
from portal.sync.devices.identity.serials import real_serial
from portal.tactical.status import AgentStatus

IDS_AT_ONCE = 1000
_COLUMNS = (
    "id", "integration_id", "rmm_device_id", "name", "client_id", "rmm_organization_id",
    "serial_number", "os_type", "make_model", "last_seen_at", "offline_minutes", "missing_since",
    "retired_at", "created_at", "client_locked",
)  # fmt: skip


def make_known(row: Any, walk: Walk, absence: Absence, is_evidence: bool) -> KnownComputer:
    is_set_aside = row.integration_id != walk.integration_id
    listed = None if is_set_aside else walk.listed.get(row.rmm_device_id)
    status = None if listed is None else listed.status
    is_gone = row.rmm_device_id in absence.assets or (is_evidence and row.missing_since)
    if listed is None and not is_set_aside and not is_gone:
        status = AgentStatus.ONLINE  # as far as is known: nothing says that it went
    return KnownComputer(
        **describe(row, listed),
        asset_id=row.id,
        client_locked=row.client_locked,
        status=status,
        offline_minutes=row.offline_minutes,
        missing_since=row.missing_since,
        retired_at=row.retired_at,
        set_aside=is_set_aside,
    )


def describe(row: Any, listed: Listed | None) -> dict[str, Any]:
    seen = [at for at in (row.last_seen_at, listed and listed.last_seen) if at is not None]
    serial = row.serial_number if listed is None or listed.serial_number is None else None
    return {
        "agent_id": row.rmm_device_id,
        "name": row.name,
        "client_id": row.client_id,
        "organization_id": row.rmm_organization_id,
        "serial_number": serial or (listed and listed.serial_number),
        "os_type": row.os_type,
        "make_model": row.make_model,
        "last_seen": max(seen, default=None),
    }


def load_assets(session: Session, walk: Walk) -> Sequence[Any]:
    """Those that share a serial number with a stranger, and those of the strangers themselves."""
    agent_ids = {*walk.strangers, *walk.twins, *walk.late}
    reported = [told(each.agent.serial_number) for each in walk.strangers.values()]
    reported += [walk.listed[agent_id].serial_number for agent_id in walk.late]
    serials = {serial for text in reported if (serial := real_serial(text))}
    columns = [getattr(Asset, name) for name in _COLUMNS]
    of_provider = or_(
        Asset.integration_id == walk.integration_id, Integration.set_aside_at.is_not(None)
    )
    chosen = select(*columns).join(Integration, Integration.id == Asset.integration_id)
    found: dict[int, Any] = {}
    for column, values in ((Asset.serial_key, serials), (Asset.rmm_device_id, agent_ids)):
        for some in chunked(sorted(values), IDS_AT_ONCE):
            rows = session.execute(chosen.where(of_provider, column.in_(some)))
            found |= {row.id: row for row in rows}
    return [found[id] for id in sorted(found)]


def load_superseded(session: Session, walk: Walk) -> dict[str, Superseded]:
    agent_ids = [id for id, stranger in walk.strangers.items() if stranger.is_superseded]
    if not agent_ids:
        return {}
    rows = session.scalars(
        select(SupersededAgent).where(
            SupersededAgent.integration_id == walk.integration_id,
            SupersededAgent.agent_id.in_(agent_ids),
        )
    )
    return {
        row.agent_id: Superseded(row.asset_id, row.superseded_at, row.revived_at is not None)
        for row in rows
    }


def load_superseded_at(session: Session, integration_id: int) -> dict[str, datetime]:
    """Since when each agent is superseded, by Tactical's clock; without those that checked in again
    and have been asked about."""
    rows = session.execute(
        select(SupersededAgent.agent_id, SupersededAgent.superseded_at).where(
            SupersededAgent.integration_id == integration_id, SupersededAgent.revived_at.is_(None)
        )
    )
    return {row[0]: row[1] for row in rows}


def load_kept_apart(session: Session, integration_id: int) -> set[tuple[str, int]]:
    rows = session.execute(
        select(AssetConflict.agent_id, AssetConflict.other_asset_id).where(
            AssetConflict.integration_id == integration_id,
            AssetConflict.settled_as == Settlement.SEPARATE,
        )
    )
    return {(row[0], row[1]) for row in rows if row[1] is not None}


def told(text: Any) -> str | None:
    return None if text is UNSET else text
