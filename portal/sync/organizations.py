"""Syncing organizations: Tactical's clients, upserted as mappings for the admin to make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction, upsert
from portal.models import Integration, OrganizationMapping
from portal.models.organizations.company import COMPANY_COLUMNS, company_columns
from portal.models.runs.sync_run import RunStatus
from portal.scope import get_tenant_id
from portal.sync.devices.brake import BrakeSettings
from portal.sync.gone_organizations import Gone, mark_gone
from portal.sync.runs.action import Action
from portal.sync.runs.log import RunLog, log_entry
from portal.tactical.agents.source import Source, choose_source
from portal.tactical.api import Tactical
from portal.tactical.records import BadRecord, TacticalOrganization

Stored = Mapping[str, OrganizationMapping]


@dataclass(frozen=True, slots=True)
class Written:
    """What a listing changed, for the log of the run, and what it left to a person."""

    entries: list[dict[str, Any]]
    gone: Gone


def sync_organizations(integration: Integration, tactical: Tactical, run_log: RunLog) -> None:
    """Read the list, upsert it, count. Raises TacticalError, EgressError and RunEnded."""
    run_log.set_phase("Reading organizations")
    source = choose_source(tactical, integration.inventory_source)
    listed = source.organizations
    bad = [record for record in listed if isinstance(record, BadRecord)]
    with transaction() as session:
        stored = session.get_one(Integration, integration.id)
        note_restriction(stored, source)
        written = write_organizations(session, stored, listed)
        entries = written.entries + [log_entry("failed", r.hint, r.hint, r.reason) for r in bad]
        counts = _count(entries, len(listed))
        run_log.record(session, counts, entries + written.gone.entries, total=len(listed))
    if not listed:
        run_log.warn(
            "Tactical lists no organizations for this API key, so nothing was changed. "
            "Check the role of the key's user."
        )
    if written.gone.waits:
        run_log.end_as(RunStatus.HELD, written.gone.reason)


def note_restriction(integration: Integration, source: Source) -> None:
    """Keep what the last test found where this source alone does not show it."""
    if source.restricted is not None:
        integration.key_restricted = source.restricted


def _count(entries: Sequence[Mapping[str, Any]], seen: int) -> Counter[str]:
    counts = Counter(str(entry["action"]) for entry in entries)
    counts["unchanged"] = seen - counts.total()
    counts["seen"] = seen
    return counts


def write_organizations(
    session: Session,
    integration: Integration,
    listed: Sequence[TacticalOrganization | BadRecord],
) -> Written:
    """Upsert a complete listing in three statements; a log entry for each one that changed.

    Organizations that are not listed any more are marked as gone or held, unless the listing is
    empty, holds a record that could not be read, or comes from a key that sees only some of them.
    """
    stored = _load(session, integration.id)
    good = {str(o.pk): o for o in listed if isinstance(o, TacticalOrganization)}
    entries = [
        entry
        for external_id, organization in good.items()
        if (entry := _plan(organization, stored.get(external_id))) is not None
    ]
    upsert_organizations(session, integration.id, list(good.values()))
    if len(good) < len(listed) or integration.key_restricted:
        return Written(entries, Gone([]))
    settings = BrakeSettings(integration.brake_assets, integration.brake_percent)
    return Written(entries, mark_gone(session, stored.values(), good.keys(), settings))


def _plan(
    organization: TacticalOrganization, stored: OrganizationMapping | None
) -> dict[str, Any] | None:
    """The log entry of what changes; None when nothing that Tactical reports did."""
    external_id = str(organization.pk)
    if stored is None:
        return log_entry(Action.CREATED, external_id, organization.name)
    changes: dict[str, list[Any]] = {}
    if stored.external_organization_name != organization.name:
        changes["external_organization_name"] = [
            stored.external_organization_name,
            organization.name,
        ]
    for column in ("gone_since", "held_since"):
        since = getattr(stored, column)
        if since is not None:
            changes[column] = [since.isoformat(), None]
    if not changes:
        return None
    return log_entry(Action.UPDATED, external_id, organization.name, changes=changes)


def _load(session: Session, integration_id: int) -> Stored:
    found = session.scalars(
        select(OrganizationMapping).where(OrganizationMapping.integration_id == integration_id)
    )
    return {mapping.external_organization_id: mapping for mapping in found}


def upsert_organizations(
    session: Session, integration_id: int, organizations: Sequence[TacticalOrganization]
) -> None:
    """Take over what is listed; what is not stays as it is."""
    if not organizations:
        return
    now = utc_now()
    is_here: dict[str, Any] = {"gone_since": None, "held_since": None, "kept_at": None}
    names = ("external_organization_name", *COMPANY_COLUMNS)
    updated = (*names, "agent_count", *is_here, "last_synced_at")
    unique = ("integration_id", "external_organization_id")
    statement = upsert(OrganizationMapping, unique, updated)
    # In one order always: two runs that lock the same rows must not wait for each other.
    rows = [
        {
            "tenant_id": get_tenant_id(),
            "integration_id": integration_id,
            "external_organization_id": str(organization.pk),
            "external_organization_name": organization.name,
            **company_columns(organization.name),
            "agent_count": organization.agent_count,
            "auto_sync_assets": True,
            **is_here,
            "last_synced_at": now,
            "created_at": now,
        }
        for organization in sorted(organizations, key=lambda each: each.pk)
    ]
    session.execute(statement, rows)
