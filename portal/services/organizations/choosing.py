"""Organizations that a person chose without ticking each: all that the list shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from portal.db import db, is_among
from portal.errors import InvalidInput
from portal.models import Asset, OrganizationMapping
from portal.services.organizations.listing import OrganizationFilter, organization_conditions

MOST_MATCHING = 2000
"""Each is written down, with its client, while somebody waits for the page."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the list shows; `only` those with these ids."""

    filter: OrganizationFilter = OrganizationFilter.ALL
    search: str = ""
    only: Collection[int] | None = None

    def to_conditions(self) -> list[ColumnElement[bool]]:
        conditions = organization_conditions(self.filter, self.search)
        if self.only is not None:
            conditions.append(is_among(OrganizationMapping.id, self.only))
        return conditions


@dataclass(frozen=True, slots=True)
class WouldImport:
    """How many agents the next sync would make assets of once these are mapped, and of how many
    organizations that is not known."""

    agents: int
    unknown: int


def list_matching(shown: Shown) -> list[int]:
    """The ids. Raises InvalidInput for none, and for too many."""
    if shown.only is not None and len(shown.only) > MOST_MATCHING:
        raise _too_many()
    query = select(OrganizationMapping.id).where(*shown.to_conditions())
    ids = list(db.session.scalars(query.order_by(OrganizationMapping.id).limit(MOST_MATCHING + 1)))
    if not ids:
        raise InvalidInput("No organization matches any more.")
    if len(ids) > MOST_MATCHING:
        raise _too_many()
    return ids


def sum_agents(shown: Shown) -> WouldImport:
    """As `OrganizationRow.would_import` says it of one."""
    table = OrganizationMapping
    there = (
        select(func.count(Asset.id))
        .where(
            Asset.integration_id == table.integration_id,
            Asset.rmm_organization_id == table.external_organization_id,
            Asset.missing_since.is_(None),
        )
        .scalar_subquery()
    )
    more = table.agent_count - there
    would = case((table.auto_sync_assets & (more > 0), more), else_=0)
    query = select(func.sum(would), func.count() - func.count(table.agent_count))
    agents, unknown = db.session.execute(query.where(*shown.to_conditions())).one()
    return WouldImport(int(agents or 0), unknown)


def _too_many() -> InvalidInput:
    return InvalidInput(
        f"More than {MOST_MATCHING:,} organizations match, which is the most for this at once. "
        "Search for some of them."
    )
