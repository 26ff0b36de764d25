"""Is the server behind the address still the one whose records are stored?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import (
    AgentSighting,
    Alert,
    Asset,
    AssetConflict,
    ExternalEntityMapping,
    Integration,
    OrganizationMapping,
    RemovedAsset,
    Schedule,
    SupersededAgent,
)
from portal.models.integrations.integration import IntegrationState, PreviewReason
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.integrations.current import get_integration
from portal.services.integrations.facts import target_of
from portal.services.integrations.options import OPTIONS, list_intervals
from portal.services.integrations.preview_due import require_preview
from portal.services.integrations.schedules import ensure_schedules
from portal.services.integrations.server_health import clear

EXAMPLES = 5
_IMPORTED = (
    OrganizationMapping,
    Asset,
    ExternalEntityMapping,
    Alert,
    SupersededAgent,
    AssetConflict,
    RemovedAsset,
    AgentSighting,
)
"""All that tells ids of the server."""


class ServerChoice(StrEnum):
    SAME = "same"
    """The same server, moved: carry on with everything stored."""
    NEW = "new"
    """A new server: what was imported from the old one is set aside."""


@dataclass(frozen=True, slots=True)
class ServerFingerprint:
    """What identifies a server: its agents' ids, and (pk, name) of its organizations."""

    agent_ids: Collection[str]
    organizations: Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is stored, and what the unrecognised server lists; nothing stands in both."""

    stored_organizations: int
    stored_agents: int
    found_organizations: int
    found_agents: int
    examples: list[str]
    """Some names of stored organizations, so that the admin knows which server it was."""


def looks_like_another(stored: ServerFingerprint, listed: ServerFingerprint) -> bool:
    """Whether nothing of what is stored is listed.

    Agent ids decide where both sides have some: forty random letters do not coincide, while
    two servers may well both have a client number 1 named "Internal".
    """
    if stored.agent_ids and listed.agent_ids:
        return not set(stored.agent_ids) & set(listed.agent_ids)
    if stored.organizations:
        return not set(stored.organizations) & set(listed.organizations)
    return bool(stored.agent_ids)


def load_stored_fingerprint(integration: Integration) -> ServerFingerprint:
    agent_ids = db.session.scalars(
        select(ExternalEntityMapping.external_entity_id).where(
            ExternalEntityMapping.integration_id == integration.id
        )
    )
    organizations = db.session.execute(
        select(
            OrganizationMapping.external_organization_id,
            OrganizationMapping.external_organization_name,
        ).where(OrganizationMapping.integration_id == integration.id)
    )
    return ServerFingerprint(set(agent_ids), {(row[0], row[1]) for row in organizations})


def describe_difference() -> Difference:
    """How the stored inventory differs from that of the last passed test."""
    integration = get_integration()
    stored = load_stored_fingerprint(integration)
    return Difference(
        stored_organizations=len(stored.organizations),
        stored_agents=len(stored.agent_ids),
        found_organizations=integration.found_organizations or 0,
        found_agents=integration.found_agents or 0,
        examples=sorted(name for _pk, name in stored.organizations)[:EXAMPLES],
    )


def decide_server(choice: ServerChoice) -> Integration:
    """The admin's word on a held integration; it becomes active. Raises Refused otherwise."""
    with transaction() as session:
        integration = get_integration()
        if integration.state is not IntegrationState.HELD:
            raise Refused("There is nothing to decide: the portal recognises this server.")
        before = {"state": str(integration.state)}
        if choice is ServerChoice.NEW:
            _set_aside(session, integration)
            require_preview(integration, PreviewReason.NEW_SERVER)
        integration.state = IntegrationState.ACTIVE
        integration.server_verified = True
        clear(integration)
        ensure_schedules(session, integration)
        about = target_of(integration)
        after = {"state": str(integration.state), "server": choice}
        record(Action.CONNECTION_SERVER_DECIDED, about, before, after)
    return integration


def _set_aside(session: Session, integration: Integration) -> None:
    """Hand everything imported to an integration of its own that never syncs again.

    Its ids stay there, so that no id of the new server can meet one of the old.
    """
    archive = Integration(
        provider=integration.provider,
        state=IntegrationState.DISCONNECTED,
        base_url=integration.base_url,
        auth_mode=integration.auth_mode,
        username="",
        server_verified=False,
        set_aside_at=utc_now(),
        **{option.name: getattr(integration, option.name) for option in OPTIONS},
    )
    for interval, _ in list_intervals():
        setattr(archive, interval, 0)
    session.add(archive)
    session.flush()
    for table in _IMPORTED:
        session.execute(
            update(table)
            .where(table.integration_id == integration.id)
            .values(integration_id=archive.id)
        )
    for schedule in session.scalars(select(Schedule).filter_by(integration_id=integration.id)):
        session.delete(schedule)
