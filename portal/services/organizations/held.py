"""Organizations that Tactical lists no more and that a sync left as they are, because they are
many: a person decides whether they are gone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import NotFound, Refused
from portal.models import Asset, OrganizationMapping, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.integrations.current import get_integration, integration_id
from portal.services.organizations.listing import OrganizationFilter, organization_conditions
from portal.sync.gone_organizations import GONE, KEPT, to_entries
from portal.sync.runs.person_runs import add_person_run, record_done
from portal.wording import plural

READS_ORGANIZATIONS = (SyncKind.ORGANIZATIONS, SyncKind.DEVICES, SyncKind.APPLY)


@dataclass(frozen=True, slots=True)
class HeldOrganization:
    """One that waits for a decision."""

    id: int
    external_id: str
    name: str
    held_since: datetime
    assets: int
    """How many it has that are not missing."""


def list_held() -> list[HeldOrganization]:
    """Those of the connected server that wait, by name."""
    table = OrganizationMapping
    its_assets = and_(
        Asset.integration_id == table.integration_id,
        Asset.rmm_organization_id == table.external_organization_id,
        Asset.missing_since.is_(None),
    )
    rows = db.session.execute(
        select(
            table.id,
            table.external_organization_id,
            table.external_organization_name,
            table.held_since,
            func.count(Asset.id),
        )
        .outerjoin(Asset, its_assets)
        .where(*organization_conditions(OrganizationFilter.HELD, ""))
        .group_by(table.id)
        .order_by(func.lower(table.external_organization_name), table.id)
    )
    return [
        HeldOrganization(mapping_id, external_id, name, since, assets)
        for mapping_id, external_id, name, since, assets in rows
        if since is not None
    ]


def list_held_by(run: SyncRun) -> list[HeldOrganization]:
    """Those that this run left to a person, as far as nobody has decided since."""
    if run.kind not in READS_ORGANIZATIONS or run.finished_at is None:
        return []
    if run.kind is SyncKind.ORGANIZATIONS and run.status is not RunStatus.HELD:
        return []
    return [each for each in list_held() if each.held_since <= run.finished_at]


def mark_as_gone(mapping_ids: Collection[int], user_id: int | None = None) -> SyncRun:
    """Those of them that are held: they are gone since Tactical lists them no more. One that was
    kept can be marked too. Raises Refused when none is held."""
    with transaction() as session:
        held = _lock(session, OrganizationMapping.id.in_(mapping_ids))
        entries = to_entries(GONE, held)
        for mapping in held:
            mapping.gone_since, mapping.held_since, mapping.kept_at = mapping.held_since, None, None
        return _add_run(session, "Marked {} as gone", held, entries, user_id)


def keep(mapping_ids: Collection[int], user_id: int | None = None) -> SyncRun:
    """Leave those of them that are held as they are, and ask no more until Tactical lists them
    again. Raises Refused when none waits."""
    which = OrganizationMapping.id.in_(mapping_ids) & OrganizationMapping.kept_at.is_(None)
    with transaction() as session:
        held = _lock(session, which)
        for mapping in held:
            mapping.kept_at = utc_now()
        return _add_run(session, "Kept {}", held, to_entries(KEPT, held), user_id)


def find_held_ids(external_ids: Collection[str]) -> list[int]:
    """By Tactical's client pks as text; all that wait if none is named. Raises NotFound for one
    that is not held."""
    if not external_ids:
        return [each.id for each in list_held()]
    rows = db.session.execute(
        select(OrganizationMapping.external_organization_id, OrganizationMapping.id).where(
            *_is_held(), OrganizationMapping.external_organization_id.in_(external_ids)
        )
    )
    found = {row[0]: row[1] for row in rows}
    if unknown := sorted(set(external_ids) - found.keys()):
        raise NotFound(f"The organization {unknown[0]} does not wait for a decision.")
    return list(found.values())


def _is_held() -> tuple[ColumnElement[bool], ...]:
    table = OrganizationMapping
    return table.integration_id == integration_id(), table.held_since.is_not(None)


def _lock(session: Session, which: ColumnElement[bool]) -> list[OrganizationMapping]:
    mappings = select(OrganizationMapping).where(*_is_held(), which)
    ordered = mappings.order_by(OrganizationMapping.id).with_for_update()
    held = list(session.scalars(ordered.execution_options(populate_existing=True)))
    if not held:
        raise Refused(
            "None of these organizations waits for a decision any more: Tactical lists them again, "
            "or somebody has decided."
        )
    return held


def _add_run(
    session: Session,
    title: str,
    held: Collection[OrganizationMapping],
    entries: list[dict[str, object]],
    user_id: int | None,
) -> SyncRun:
    names = [mapping.external_organization_name for mapping in held]
    what = names[0] if len(names) == 1 else plural(len(names), "organization")
    what_was_done = title.format(what)
    run = add_person_run(session, get_integration().id, SyncKind.MAPPING, what_was_done, user_id)
    record_done(session, run, {}, entries)
    after = {"did": what_was_done, "organizations": names, "run_id": run.id}
    about, before = Target("organization", "", what), {"waits_for_decision": True}
    record(Action.ORGANIZATIONS_DECIDED, about, before, {**after, "waits_for_decision": False})
    return run
