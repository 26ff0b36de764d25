"""Whose alerts are whose: from the agent that an alert names to its asset."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.db import is_among
from portal.models import Alert, Asset, SupersededAgent
from portal.sync.alerts.locks import lock_alerts


def find_asset_ids(
    session: Session, integration_id: int, agent_ids: Collection[str]
) -> dict[str, int]:
    """By agent_id. An agent that was superseded, as its computer was re-installed, still leads to
    the computer's asset."""
    found = {
        row[0]: row[1]
        for row in session.execute(
            select(Asset.rmm_device_id, Asset.id).where(
                Asset.integration_id == integration_id, Asset.rmm_device_id.in_(agent_ids)
            )
        )
    }
    if rest := set(agent_ids) - found.keys():
        rows = session.execute(
            select(SupersededAgent.agent_id, SupersededAgent.asset_id).where(
                SupersededAgent.integration_id == integration_id,
                SupersededAgent.agent_id.in_(rest),
            )
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def find_replaced(session: Session, integration_id: int, agent_ids: Collection[str]) -> set[str]:
    """Those of the agents whose computers have another one by now; no statement where there are
    none to ask about."""
    if not agent_ids:
        return set()
    replaced = select(SupersededAgent.agent_id).where(
        SupersededAgent.integration_id == integration_id,
        SupersededAgent.agent_id.in_(agent_ids),
        SupersededAgent.revived_at.is_(None),
    )
    return set(session.scalars(replaced))


def link_alerts(session: Session, integration_id: int, agent_ids: Sequence[str]) -> None:
    """Alerts that came before their agent had an asset belong to it now."""
    lock_alerts(session, integration_id)
    asset_id = (
        select(Asset.id)
        .where(Asset.integration_id == integration_id, Asset.rmm_device_id == Alert.agent_id)
        .scalar_subquery()
    )
    session.execute(
        update(Alert)
        .where(
            Alert.integration_id == integration_id,
            is_among(Alert.agent_id, agent_ids),
            Alert.asset_id.is_(None),
        )
        .values(asset_id=asset_id)
        .execution_options(synchronize_session=False)
    )
