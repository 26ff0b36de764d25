"""Removing what a connection, or the mapping of one organization, has created: as what an undo
removes, so that it can come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import db, release, transaction
from portal.models import Asset, AssetChange, OrganizationMapping
from portal.models.assets.asset import LOCKS
from portal.models.assets.change import ChangeAction
from portal.sync.devices.facts import AGENT
from portal.sync.reverting.load import load_assets
from portal.sync.reverting.mappings import MAPPED
from portal.sync.reverting.removing import remove_assets
from portal.sync.runs.log import RunLog, log_entry

ASSETS_AT_ONCE = 500
EVERYTHING, EDITED_TOO = "everything", "edited"


@dataclass(frozen=True, slots=True)
class Clearing:
    """What is to go: of one organization, by Tactical's client pk as text, or of all. What a
    person edited stays, unless it is asked for too."""

    organization: str | None = None
    edited_too: bool = False

    @property
    def subject(self) -> str:
        """Of the run that does it."""
        scope = EVERYTHING if self.organization is None else f"organization {self.organization}"
        return f"{scope} {EDITED_TOO}" if self.edited_too else scope

    @classmethod
    def from_subject(cls, subject: str) -> Clearing:
        words = subject.split(" ")
        organization = None if words[0] == EVERYTHING else words[1]
        return cls(organization, words[-1] == EDITED_TOO)

    def list_conditions(self, integration_id: int) -> list[ColumnElement[bool]]:
        """Of its assets."""
        conditions = [Asset.integration_id == integration_id]
        if self.organization is not None:
            conditions.append(Asset.rmm_organization_id == self.organization)
        if not self.edited_too:
            conditions.append(~is_edited())
        return conditions


def is_edited() -> ColumnElement[bool]:
    """Whether a person has changed something of the asset by hand, and not released it."""
    locks = (getattr(Asset, lock) for lock in LOCKS.values())
    merged = select(AssetChange.id).where(
        AssetChange.asset_id == Asset.id, AssetChange.action == ChangeAction.MERGED
    )
    return or_(*locks, merged.exists())


def remove_created(
    integration_id: int,
    run_log: RunLog,
    clearing: Clearing,
    list_theirs: Callable[[Sequence[int]], Sequence[int]],
) -> None:
    """Unmap, so that the next sync does not create it again, and remove the assets. Raises
    RunEnded. What is committed stays done. `list_theirs` as in `change_assets`."""
    list_theirs(())
    unmap(integration_id, run_log, clearing)
    ids = db.session.scalars(
        select(Asset.id).where(*clearing.list_conditions(integration_id)).order_by(Asset.id)
    ).all()
    release()
    run_log.set_phase("Removing assets", len(ids))
    for some in chunked(ids, ASSETS_AT_ONCE):
        with transaction() as session:
            _remove(session, integration_id, run_log, clearing, list_theirs(some))


def unmap(integration_id: int, run_log: RunLog, clearing: Clearing) -> None:
    mappings = select(OrganizationMapping).where(
        OrganizationMapping.integration_id == integration_id,
        OrganizationMapping.client_id.is_not(None),
    )
    if clearing.organization is not None:
        mappings = mappings.where(
            OrganizationMapping.external_organization_id == clearing.organization
        )
    with transaction() as session:
        entries = []
        for mapping in session.scalars(mappings.order_by(OrganizationMapping.id).with_for_update()):
            external_id, name = mapping.external_organization_id, mapping.external_organization_name
            changes = {"client_id": [mapping.client_id, None]}
            entries.append(log_entry(MAPPED, external_id, name, changes=changes))
            mapping.client_id, mapping.client = None, None
        run_log.note(session, entries)


def _remove(
    session: Session,
    integration_id: int,
    run_log: RunLog,
    clearing: Clearing,
    ids: Sequence[int],
) -> None:
    conditions = (Asset.id.in_(ids), *clearing.list_conditions(integration_id))
    assets = load_assets(session, *conditions, lock=True)
    if not assets:
        return
    remove_assets(session, integration_id, assets, run_log.run_id)
    entries = [log_entry("removed", asset[AGENT], asset["name"]) for asset in assets]
    counts = Counter(seen=len(assets), removed=len(assets))
    run_log.record(session, counts, entries)
