"""Syncing one agent: what an alert or a press of Refresh asks for.

A burst of alerts asks for many, each in a process of its own. What they would have in common,
whose the agents' sites are, is therefore taken from what is stored. Only where that does not
tell is Tactical's list read, and what it says is stored for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from portal.db import db, release, transaction
from portal.models import Asset, Integration, OrganizationMapping
from portal.sync.devices.run import apply_page
from portal.sync.organizations import upsert_organizations
from portal.sync.runs.log import RunLog
from portal.tactical.agents.source import BETA, DASHBOARD
from portal.tactical.api import AgentDetail, AgentPage, Tactical
from portal.tactical.errors import BetaOff
from portal.tactical.records import TacticalSite, only_good

Sites = Mapping[int, TacticalSite]


def sync_agent(
    integration: Integration, tactical: Tactical, run_log: RunLog, agent_id: str
) -> None:
    """Refresh the asset of one agent, or make it. Raises TacticalError, EgressError, RunEnded."""
    run_log.set_phase("Reading the agent", total=1)
    source, page = read_agent(integration, tactical, agent_id)
    with transaction() as session:
        run_log.note_source(session, source)
    apply_page(integration.id, page, run_log)


def read_agent(
    integration: Integration, tactical: Tactical, agent_id: str
) -> tuple[str, AgentPage]:
    """Where the agent was read, and a page of it alone. Raises TacticalError and EgressError.

    The dashboard API reports it, whatever the fleet is read from: it obeys the limits of the
    key's role, and Tactical derives the facts of one agent alike for both.
    """
    detail = tactical.get_agent(agent_id)
    stored = _load_stored(integration.id, agent_id, detail)
    release()
    sites = stored.sites or _read_sites(integration, tactical)
    page = None
    if stored.may_become_asset and _may_use_beta(integration):
        page = _find_in_beta(tactical, agent_id, detail, sites)
    return (BETA, page) if page else (DASHBOARD, detail.read(sites))


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is stored about an agent's place; `sites` holds its site, or nothing."""

    sites: Sites
    may_become_asset: bool
    """It has no asset yet, and nobody decided that it shall have none."""


def _load_stored(integration_id: int, agent_id: str, detail: AgentDetail) -> _Stored:
    """Sure of the site where an asset lives there and its organization is still called so.

    Names are unique in Tactical, but may be given anew, and a site may go to another client.
    """
    named = db.session.execute(
        select(
            OrganizationMapping.external_organization_id,
            OrganizationMapping.client_id,
            OrganizationMapping.auto_sync_assets,
        ).where(
            OrganizationMapping.integration_id == integration_id,
            OrganizationMapping.external_organization_name == detail.organization_name,
            OrganizationMapping.gone_since.is_(None),
        )
    ).all()
    assets = select(Asset.id).where(Asset.integration_id == integration_id).limit(1)
    is_new = db.session.scalar(assets.where(Asset.rmm_device_id == agent_id)) is None
    if len(named) != 1 or detail.site_pk is None:
        return _Stored({}, is_new)
    external_id, client_id, auto_sync = named[0]
    pk = detail.site_pk
    sites = {pk: TacticalSite(pk, detail.site_name, int(external_id))}
    if is_new and (client_id is None or not auto_sync):
        return _Stored(sites, False)  # it is left out, wherever it lives
    neighbour = assets.where(Asset.site_id == str(pk), Asset.rmm_organization_id == external_id)
    return _Stored(sites if db.session.scalar(neighbour) else {}, is_new)


def _read_sites(integration: Integration, tactical: Tactical) -> Sites:
    """From `clients/`. What it does not show is not taken for gone: a sync of all shows that."""
    inventory = tactical.get_dashboard_inventory()
    with transaction() as session:
        upsert_organizations(session, integration.id, only_good(inventory.organizations))
    return inventory.sites_by_pk()


def _may_use_beta(integration: Integration) -> bool:
    """The beta API shows a key what its role hides; and its reader may have chosen otherwise."""
    return (
        integration.inventory_source != DASHBOARD
        and bool(integration.beta_api)
        and integration.key_restricted is False
    )


def _find_in_beta(
    tactical: Tactical, agent_id: str, detail: AgentDetail, sites: Sites
) -> AgentPage | None:
    """For a new asset: with the serial number and the pk, which the detail lacks."""
    try:
        return tactical.find_beta_agent(agent_id, detail.hostname, sites)
    except BetaOff:
        return None
