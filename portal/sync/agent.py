"""Syncing one agent: what an alert or a press of Refresh asks for."""

from __future__ import annotations

from sqlalchemy import select

from portal.db import db, release, transaction
from portal.models import ExternalEntityMapping, Integration
from portal.sync.devices import apply_page
from portal.sync.organizations import write_organizations
from portal.sync.run_log import RunLog
from portal.tactical.api import Tactical
from portal.tactical.source import BETA, choose_source


def sync_agent(
    integration: Integration, tactical: Tactical, run_log: RunLog, agent_id: str
) -> None:
    """Refresh the asset of one agent, or make it. Raises TacticalError, EgressError, RunEnded."""
    external_pk = _find_pk(integration.id, agent_id)
    release()
    run_log.set_phase("Reading the agent", total=1)
    source = choose_source(tactical, integration.inventory_source)
    sites = source.inventory.sites_by_pk()
    if source.name == BETA:
        page = tactical.get_agent_from_beta(agent_id, external_pk, sites)
    else:
        page = tactical.get_agent_from_dashboard(agent_id, sites)
    with transaction() as session:
        run_log.note_source(session, source.name)
        write_organizations(session, integration, source.organizations)
    apply_page(integration.id, page, run_log)


def _find_pk(integration_id: int, agent_id: str) -> int | None:
    return db.session.scalar(
        select(ExternalEntityMapping.external_pk).where(
            ExternalEntityMapping.integration_id == integration_id,
            ExternalEntityMapping.external_entity_id == agent_id,
        )
    )
