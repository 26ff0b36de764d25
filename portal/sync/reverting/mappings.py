"""Mappings of organizations that go back: what a run mapped stands in its log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.db import count_changed
from portal.models import OrganizationMapping, SyncLogEntry
from portal.models.runs.revert_action import RevertAction
from portal.sync.reverting.plan import CLIENT, AssetRevert

CLIENT_CREATED = "The client was created for it."
"""Why an entry is there of which the client goes with the mapping when that is undone."""
MAPPED = "mapped"
"""The action of a log entry with `{"client_id": [before, after], "auto_sync_assets": […]}`."""
COLUMNS = (CLIENT, "auto_sync_assets", "ignored")
"""Of an organization: what a person decides."""
_CALLED = {CLIENT: "client", "auto_sync_assets": "auto-sync switch", "ignored": "state"}


def plan_mappings(
    session: Session, integration_id: int, run_id: int, clients: Set[int], lock: bool = False
) -> list[AssetRevert]:
    """A decision for each organization that the run mapped, unmapped or switched; `clients` are
    those that there are."""
    entries = session.execute(
        select(SyncLogEntry.external_id, SyncLogEntry.name, SyncLogEntry.changes)
        .where(SyncLogEntry.run_id == run_id, SyncLogEntry.action == MAPPED)
        .order_by(SyncLogEntry.id)
    ).all()
    if not entries:
        return []
    table = OrganizationMapping
    columns = [getattr(table, name) for name in COLUMNS]
    mappings = select(table.external_organization_id, *columns).where(
        table.integration_id == integration_id,
        table.external_organization_id.in_([entry.external_id for entry in entries]),
    )
    rows = session.execute(mappings.with_for_update() if lock else mappings)
    stored = {row[0]: dict(zip(COLUMNS, row[1:], strict=True)) for row in rows}
    return [
        _plan(entry.external_id, entry.name, entry.changes or {}, stored, clients)
        for entry in entries
    ]


def write_mappings(session: Session, integration_id: int, plans: Iterable[AssetRevert]) -> None:
    for plan in plans:
        if plan.action is not RevertAction.MAPPED:
            continue
        mapping = update(OrganizationMapping).where(
            OrganizationMapping.integration_id == integration_id,
            OrganizationMapping.external_organization_id == plan.agent_id,
        )
        values = {column: then for column, (_now, then) in plan.changes.items()}
        count_changed(session, mapping.values(**values))


def _plan(
    external_id: str,
    name: str,
    done: Mapping[str, list[Any]],
    stored: Mapping[str, Mapping[str, Any]],
    clients: Set[int],
) -> AssetRevert:
    now = stored.get(external_id)
    if now is None:
        kept = ["The organization is no longer known."]
        return AssetRevert(None, external_id, name, RevertAction.UNCHANGED, kept=kept)
    changes, kept = {}, []
    for column, (before, after) in done.items():
        if now[column] != after:
            kept.append(f"The {_CALLED[column]} of this organization was changed since.")
        elif column == CLIENT and before is not None and before not in clients:
            kept.append("The client that it was mapped to does not exist any more.")
        elif before != after:
            changes[column] = (after, before)
    action = RevertAction.MAPPED if changes else RevertAction.UNCHANGED
    return AssetRevert(None, external_id, name, action, changes, kept)
