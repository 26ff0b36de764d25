"""Agents that Tactical lists and that have no asset, or one that may be another's computer: since
when they have been there.

Without it, a clone whose original is off at night would look like a re-installation to the
nightly sync.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import count_changed, transaction, upsert
from portal.models import AgentSighting, Asset
from portal.scope import get_tenant_id

IDS_AT_ONCE = 1000


class Sighting(NamedTuple):
    first_listed_at: datetime
    has_asset: bool


def note_sightings(session: Session, integration_id: int, listed: Mapping[str, datetime]) -> None:
    """That agents, by id, were listed at a moment of Tactical's clock; no statement when there are
    none."""
    same = {"tenant_id": get_tenant_id(), "integration_id": integration_id}
    rows = [
        same | {"agent_id": agent_id, "first_listed_at": at, "last_listed_at": at}
        for agent_id, at in sorted(listed.items())
    ]
    if rows:
        noted = upsert(AgentSighting, ("integration_id", "agent_id"), ("last_listed_at",))
        session.execute(noted, rows)


def load_sightings(session: Session, integration_id: int) -> dict[str, Sighting]:
    """By agent_id."""
    rows = session.execute(
        select(AgentSighting.agent_id, AgentSighting.first_listed_at, Asset.id.is_not(None))
        .outerjoin(
            Asset,
            (Asset.integration_id == AgentSighting.integration_id)
            & (Asset.rmm_device_id == AgentSighting.agent_id),
        )
        .where(AgentSighting.integration_id == integration_id)
    )
    return {row[0]: Sighting(row[1], bool(row[2])) for row in rows}


def drop_sightings(session: Session, integration_id: int, agent_ids: Collection[str]) -> None:
    for some in chunked(sorted(agent_ids), IDS_AT_ONCE):
        of_these = (
            AgentSighting.integration_id == integration_id,
            AgentSighting.agent_id.in_(some),
        )
        count_changed(session, delete(AgentSighting).where(*of_these))


def drop_stale_sightings(
    integration_id: int,
    sightings: Mapping[str, Sighting],
    lost: Container[str],
    open_ones: Container[str],
) -> None:
    """After a complete walk: of agents that are gone, or that have an asset, without those that are
    still to be decided about. In a transaction of its own, if there are any."""
    stale = [
        agent_id
        for agent_id, sighting in sightings.items()
        if agent_id in lost or (sighting.has_asset and agent_id not in open_ones)
    ]
    if stale:
        with transaction() as session:
            drop_sightings(session, integration_id, stale)
