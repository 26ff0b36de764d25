"""Assets whose agents Tactical no longer lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import db, release
from portal.models import Asset
from portal.models.assets.change import ChangeAction
from portal.sync.devices.conflicts import settle_gone
from portal.sync.devices.held_conflicts import list_unmarked
from portal.sync.devices.load import lock_in_order
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.log import RunLog, log_entry
from portal.sync.software.store import recount_software_of
from portal.tactical.api import Tactical

IDS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Absent:
    """An asset whose agent was not listed."""

    name: str
    client_id: int


@dataclass(frozen=True, slots=True)
class Absence:
    """Assets by agent_id that are surely not listed any more, and when that was asked for."""

    assets: Mapping[str, Absent]
    asked_at: datetime


def list_absent(integration_id: int, seen: Set[str]) -> dict[str, Absent]:
    """By agent_id: the assets that were not seen and not known to be missing, without those that a
    revert took that mark from."""
    rows = db.session.execute(
        select(Asset.rmm_device_id, Asset.name, Asset.client_id).where(
            Asset.integration_id == integration_id, Asset.missing_since.is_(None)
        )
    )
    absent = {row[0]: Absent(row[1], row[2]) for row in rows if row[0] not in seen}
    unmarked = list_unmarked(db.session(), integration_id) if absent else set()
    absent = {agent_id: asset for agent_id, asset in absent.items() if agent_id not in unmarked}
    release()
    return absent


def confirm_absent(tactical: Tactical, absent: Mapping[str, Absent]) -> Absence:
    """Those that a second listing, of another endpoint, does not have either: one listing is not
    enough to go by. Raises TacticalError and EgressError."""
    asked_at = utc_now()
    confirmed = sorted(tactical.find_absent(absent))
    return Absence({agent_id: absent[agent_id] for agent_id in confirmed}, asked_at)


def mark_missing(
    session: Session, integration_id: int, absence: Absence, run_log: RunLog
) -> Sequence[str]:
    """Note it on these assets, but for those that a sweep has seen since; which ones.

    Nothing is retired by that.
    """
    missing = [
        agent_id
        for ids in chunked(list(absence.assets), IDS_AT_ONCE)
        for agent_id in _set_missing(session, integration_id, ids, absence.asked_at, run_log)
    ]
    names = absence.assets
    entries = [log_entry("missing", agent_id, names[agent_id].name) for agent_id in missing]
    run_log.record(session, Counter(missing=len(missing)), entries)
    return missing


def _set_missing(
    session: Session,
    integration_id: int,
    agent_ids: Sequence[str],
    asked_at: datetime,
    run_log: RunLog,
) -> Sequence[str]:
    listed_before = (
        Asset.integration_id == integration_id,
        Asset.rmm_device_id.in_(agent_ids),
        Asset.status_at <= asked_at,
    )
    rows = session.execute(
        update(Asset)
        .where(lock_in_order(*listed_before))
        .values(missing_since=asked_at, absent_runs=0)
        .returning(Asset.id, Asset.rmm_device_id)
        .execution_options(synchronize_session=False)
    ).all()
    recount_software_of(session, [row.id for row in rows])
    settle_gone(session, integration_id, [row.rmm_device_id for row in rows])
    since = [
        ColumnChange(row.id, ChangeAction.MISSING, "missing_since", None, asked_at) for row in rows
    ]
    record_changes(session, run_log.cause, since)
    return [row.rmm_device_id for row in rows]
