"""Writing what goes back of some assets: a fixed handful of statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import upsert
from portal.events.outbox import Happening, record_events
from portal.models import Asset, ExternalEntityMapping, SupersededAgent
from portal.models.assets.change import ChangeAction
from portal.models.events.event import EventType
from portal.models.runs.revert_action import RevertAction
from portal.scope import get_tenant_id
from portal.sync.devices.device_events import retirement_event
from portal.sync.devices.facts import AGENT, PLACE
from portal.sync.devices.merging.snapshots import value_from_json
from portal.sync.devices.relinking import give_agents, supersede
from portal.sync.devices.sightings import note_sightings
from portal.sync.history import ColumnChange, record_changes
from portal.sync.reverting.load import ASSET_COLUMNS, StoredRevert
from portal.sync.reverting.plan import MISSING, RETIRED
from portal.sync.runs.cause import Cause
from portal.sync.software.store import recount_software_of

_UNIQUE = ("integration_id", AGENT)
_NEVER = ("id", "tenant_id", *_UNIQUE)


def write_changes(
    session: Session,
    integration_id: int,
    stored: Sequence[StoredRevert],
    cause: Cause,
    supersedes: bool,
) -> None:
    """Columns of assets that the caller holds locked, their history and their events.

    `supersedes` says whether an agent that an asset loses goes on to lead to it.
    """
    changed = [each for each in stored if each.revert.changes]
    if not changed:
        return
    _give_agents_back(session, integration_id, changed, cause, supersedes)
    columns = [name for name in ASSET_COLUMNS if name not in _NEVER]
    rows = [_asset_row(each) for each in changed]
    session.execute(upsert(Asset, _UNIQUE, columns), rows)
    moved = [row for row, each in zip(rows, changed, strict=True) if _moves(each)]
    if moved:
        _write_places(session, integration_id, moved)
    counted = [each.asset["id"] for each in changed if MISSING in each.revert.changes]
    recount_software_of(session, counted)
    record_changes(session, cause, _list_changes(changed))
    news = [(EventType.DEVICE_UPDATED, each.revert.name, _describe(each)) for each in changed]
    retired = [each for each in changed if RETIRED in each.revert.changes]
    record_events(session, news + [_describe_retirement(each) for each in retired])


def _describe_retirement(stored: StoredRevert) -> Happening:
    row = _asset_row(stored)
    return retirement_event(
        asset_id=stored.asset["id"],
        rmm_device_id=row[AGENT],
        name=row["name"],
        client_id=row["client_id"],
        retired_at=row[RETIRED],
        missing_since=row[MISSING],
    )


def note_bereft(session: Session, integration_id: int, stored: Sequence[StoredRevert]) -> None:
    """Keep since when the agents are listed that lose their assets: without it, a clone would look
    like a re-installation when its turn comes again. Before that is written."""
    listed = {
        each.asset[AGENT]: min(each.asset["created_at"], each.asset["last_seen_at"] or utc_now())
        for each in stored
        if each.revert.action is RevertAction.REMOVED
    }  # rather too early than too late: the two moments are by two clocks
    relinked = {
        each.revert.changes[AGENT][1]: each.asset[AGENT]
        for each in stored
        if each.revert.action is RevertAction.RELINKED
    }
    if relinked:
        superseded = select(SupersededAgent.agent_id, SupersededAgent.superseded_at).where(
            SupersededAgent.integration_id == integration_id,
            SupersededAgent.agent_id.in_(relinked),
        )
        listed |= {relinked[row.agent_id]: row.superseded_at for row in session.execute(superseded)}
    note_sightings(session, integration_id, listed)


def _asset_row(stored: StoredRevert) -> dict[str, Any]:
    """The whole row as it shall be, but for the id, which it has already."""
    then = {
        column: value_from_json(Asset, column, value)
        for column, (_now, value) in stored.revert.changes.items()
    }
    row = stored.asset | then
    del row["id"]
    return row


def _give_agents_back(
    session: Session,
    integration_id: int,
    changed: Sequence[StoredRevert],
    cause: Cause,
    supersedes: bool,
) -> None:
    """Before the rest: by its agent an asset's row is found."""
    agents = {
        each.asset["id"]: each.revert.changes[AGENT]
        for each in changed
        if AGENT in each.revert.changes
    }
    if not agents:
        return
    give_agents(session, integration_id, {id: then for id, (_now, then) in agents.items()})
    if supersedes:
        old = {id: now for id, (now, _then) in agents.items()}
        supersede(session, integration_id, old, cause, _last_seen(changed))


def _last_seen(changed: Sequence[StoredRevert]) -> datetime:
    """By Tactical's clock, which nobody asks here: not before an agent's last check-in, or it would
    be taken for revived."""
    seen = (each.asset["last_seen_at"] for each in changed)
    return max((at for at in seen if at is not None), default=utc_now())


def _moves(stored: StoredRevert) -> bool:
    return any(name in stored.revert.changes for name in PLACE)


def _write_places(session: Session, integration_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """The entity mappings say where an agent lives too."""
    statement = upsert(
        ExternalEntityMapping,
        ("integration_id", "external_entity_id"),
        ("external_realm_id", "metadata"),
    )
    values = [
        {
            "tenant_id": get_tenant_id(),
            "integration_id": integration_id,
            "asset_id": 0,  # of a row that is there: left as it is
            "external_entity_id": row[AGENT],
            "external_realm_id": row["rmm_organization_id"],
            "external_pk": None,
            "entity_metadata": {"site_id": row["site_id"], "site_name": row["site_name"]},
            "created_at": utc_now(),
        }
        for row in rows
    ]
    session.execute(statement, values)


def _list_changes(changed: Sequence[StoredRevert]) -> Iterator[ColumnChange]:
    for each in changed:
        for column, (now, then) in each.revert.changes.items():
            asset_id = each.asset["id"]
            yield ColumnChange(asset_id, ChangeAction.REVERTED, column, now, then)


def _describe(stored: StoredRevert) -> dict[str, Any]:
    changes = stored.revert.changes
    client = changes.get("client_id", (None, stored.asset["client_id"]))[1]
    return {
        "asset_id": stored.asset["id"],
        "rmm_device_id": stored.revert.agent_id,
        "name": stored.revert.name,
        "client_id": client,
        "changed": sorted(changes),
    }
