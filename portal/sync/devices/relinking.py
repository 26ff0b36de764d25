"""Giving an asset to another agent: that of its computer after a re-installation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import count_changed, upsert
from portal.models import Asset, ExternalEntityMapping, SupersededAgent
from portal.models.assets.change import ChangeAction
from portal.scope import get_tenant_id
from portal.sync.alerts.links import link_alerts
from portal.sync.devices.sightings import drop_sightings
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause

ASSETS_AT_ONCE = 500


def relink(
    session: Session,
    integration_id: int,
    agents: Mapping[int, str],
    cause: Cause,
    now: datetime,
) -> None:
    """Give each asset, by its id, to the agent named, which has none; `now` is by Tactical's clock.

    The asset keeps all that it has. The agent that it had is superseded and still leads to it.
    What else is known of the new agent is the caller's to write.
    """
    for ids in chunked(sorted(agents), ASSETS_AT_ONCE):
        some = {asset_id: agents[asset_id] for asset_id in ids}
        old = _load_agents(session, integration_id, some)
        some = {asset_id: agent for asset_id, agent in some.items() if asset_id in old}
        if not some:
            continue
        supersede(session, integration_id, old, cause, now)
        give_agents(session, integration_id, some)
        link_alerts(session, integration_id, list(some.values()))
        drop_sightings(session, integration_id, list(some.values()))
        changes = [
            ColumnChange(id, ChangeAction.RELINKED, "rmm_device_id", old[id], some[id])
            for id in some
        ]
        record_changes(session, cause, changes)


def _load_agents(
    session: Session, integration_id: int, agents: Mapping[int, str]
) -> dict[int, str]:
    """The agents that the assets have now; locked, in one order for all."""
    rows = session.execute(
        select(Asset.id, Asset.rmm_device_id)
        .where(Asset.integration_id == integration_id, Asset.id.in_(list(agents)))
        .order_by(Asset.id)
        .with_for_update()
    )
    return {row[0]: row[1] for row in rows if row[1] != agents[row[0]]}


def supersede(
    session: Session, integration_id: int, old: Mapping[int, str], cause: Cause, now: datetime
) -> None:
    """Have the agents that assets had, by asset id, lead to them from now on."""
    columns = ("asset_id", "run_id", "superseded_at", "revived_at")
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": get_tenant_id(),
            "integration_id": integration_id,
            "agent_id": agent_id,
            "asset_id": asset_id,
            "run_id": cause.run_id,
            "superseded_at": now,
            "revived_at": None,
        }
        for asset_id, agent_id in old.items()
    ]
    session.execute(upsert(SupersededAgent, ("integration_id", "agent_id"), columns), rows)


def give_agents(session: Session, integration_id: int, agents: Mapping[int, str]) -> None:
    """By asset id. An agent that has an asset is not superseded."""
    ids, names = list(agents), list(agents.values())
    is_current = (
        SupersededAgent.integration_id == integration_id,
        SupersededAgent.agent_id.in_(names),
    )
    count_changed(session, delete(SupersededAgent).where(*is_current))
    count_changed(
        session,
        update(Asset)
        .where(Asset.id.in_(ids))
        .values(rmm_device_id=case(dict(agents), value=Asset.id)),
    )
    count_changed(
        session,
        update(ExternalEntityMapping)
        .where(ExternalEntityMapping.asset_id.in_(ids))
        .values(
            external_entity_id=case(dict(agents), value=ExternalEntityMapping.asset_id),
            external_pk=None,  # that of the old agent
        ),
    )
