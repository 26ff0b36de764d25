"""Organizations: listed, filtered and found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.orm import joinedload

from portal.db import db, is_among
from portal.errors import NotFound
from portal.models import Asset, Client, OrganizationMapping
from portal.services.integrations.current import get_integration, integration_id
from portal.services.lists.paging import Page, paginate
from portal.services.lists.search import is_called
from portal.services.organizations.suggestions import Suggested

MOST_SUGGESTED = 20_000
"""As many as a statement of any database takes."""


class OrganizationFilter(StrEnum):
    ALL = ""
    UNMAPPED = "unmapped"
    MAPPED = "mapped"
    IGNORED = "ignored"
    """A person has said that it stays unmapped."""
    AUTO_SYNC_OFF = "auto_sync_off"
    GONE = "gone"
    HELD = "held"
    """Listed no more; a person is to say whether they are gone."""
    KEPT = "kept"
    """A person has said that they are not."""


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization with the assets it has here, and the client that it may be, if any is looked
    for."""

    mapping: OrganizationMapping
    assets: int
    suggestion: Suggested | None = None

    @property
    def would_import(self) -> int | None:
        """How many agents the next sync would make assets of once it is mapped; None where that is
        not known."""
        if self.mapping.agent_count is None:
            return None
        return max(0, self.mapping.agent_count - self.assets) * self.mapping.auto_sync_assets


def list_organizations(
    shown: OrganizationFilter = OrganizationFilter.ALL,
    search: str = "",
    page: int = 1,
    only: Collection[int] | None = None,
    total: int | None = None,
) -> Page[OrganizationRow]:
    """Organizations of the connected server by name; `only` those with these ids. `total`: how many
    there are, as far as that is known."""
    conditions = organization_conditions(shown, search)
    if only is not None:
        conditions.append(is_among(OrganizationMapping.id, list(only)[:MOST_SUGGESTED]))
    found = paginate(
        select(OrganizationMapping)
        .where(*conditions)
        .options(joinedload(OrganizationMapping.client))
        .order_by(
            func.lower(OrganizationMapping.external_organization_name), OrganizationMapping.id
        ),
        total,
        page,
        lambda row: row[0],
    )
    return Page(_with_details(found.items), found.number, found.total)


def list_live_organizations() -> list[OrganizationMapping]:
    """All that the connected server had at the last sync, by name."""
    return list(
        db.session.scalars(
            select(OrganizationMapping)
            .where(
                *organization_conditions(OrganizationFilter.ALL, ""),
                OrganizationMapping.gone_since.is_(None),
            )
            .order_by(
                func.lower(OrganizationMapping.external_organization_name), OrganizationMapping.id
            )
        )
    )


def count_organizations() -> dict[OrganizationFilter, int]:
    """How many organizations each filter shows."""
    row = db.session.execute(select(*organization_counts()).where(is_of_connected())).one()
    return dict(zip(OrganizationFilter, row, strict=True))


def organization_counts() -> list[ColumnElement[int]]:
    """The same in SQL, in the order of the filters, of rows that `is_of_connected`."""
    return [func.count(case((is_shown(shown), 1))) for shown in OrganizationFilter]


def any_mapped() -> bool:
    """Whether an organization of the connected server is mapped to a client."""
    conditions = organization_conditions(OrganizationFilter.MAPPED, "")
    return db.session.scalar(select(OrganizationMapping.id).where(*conditions).limit(1)) is not None


def list_organizations_of(client_id: int) -> list[OrganizationMapping]:
    return list(
        db.session.scalars(
            select(OrganizationMapping)
            .where(OrganizationMapping.client_id == client_id)
            .order_by(OrganizationMapping.external_organization_name)
        )
    )


def get_organization(mapping_id: int) -> OrganizationMapping:
    mapping = db.session.scalar(
        select(OrganizationMapping)
        .where(OrganizationMapping.id == mapping_id)
        .options(joinedload(OrganizationMapping.client))
        .execution_options(populate_existing=True)
    )
    if mapping is None:
        raise NotFound(
            "This organization does not exist. Choose one from the list of organizations."
        )
    return mapping


def get_organization_row(mapping_id: int) -> OrganizationRow:
    return _with_details([get_organization(mapping_id)])[0]


def get_organization_by_external_id(external_id: str) -> OrganizationMapping:
    """By Tactical's client pk as text."""
    mapping = db.session.scalar(
        select(OrganizationMapping).where(
            OrganizationMapping.integration_id == get_integration().id,
            OrganizationMapping.external_organization_id == external_id,
        )
    )
    if mapping is None:
        raise NotFound(
            f"There is no organization {external_id}. Check its number in Tactical, then sync "
            "organizations."
        )
    return mapping


def find_organization_name(external_id: str) -> str:
    """By Tactical's number of it, which stands for it where none is known."""
    if not external_id:
        return ""
    is_it = OrganizationMapping.external_organization_id == external_id
    query = select(OrganizationMapping.external_organization_name).where(is_it)
    return db.session.scalar(query.limit(1)) or external_id


def organization_conditions(shown: OrganizationFilter, search: str) -> list[ColumnElement[bool]]:
    """The filter in SQL."""
    table = OrganizationMapping
    conditions = [is_of_connected(), is_shown(shown)]
    if search.strip():
        named = select(Client.id).where(is_called(Client.name, Client.company_words, search))
        called = is_called(table.external_organization_name, table.company_words, search)
        conditions.append(called | table.client_id.in_(named))
    return conditions


def is_of_connected() -> ColumnElement[bool]:
    return OrganizationMapping.integration_id == integration_id()


def is_shown(shown: OrganizationFilter) -> ColumnElement[bool]:
    """Of the connected server's organizations."""
    table = OrganizationMapping
    match shown:
        case OrganizationFilter.ALL:
            return true()
        case OrganizationFilter.UNMAPPED:
            is_live = table.gone_since.is_(None) & table.ignored.is_(False)
            return table.client_id.is_(None) & is_live
        case OrganizationFilter.MAPPED:
            return table.client_id.is_not(None)
        case OrganizationFilter.IGNORED:
            return table.ignored.is_(True)
        case OrganizationFilter.AUTO_SYNC_OFF:
            return table.auto_sync_assets.is_(False)
        case OrganizationFilter.GONE:
            return table.gone_since.is_not(None)
        case OrganizationFilter.HELD:
            return table.held_since.is_not(None) & table.kept_at.is_(None)
        case OrganizationFilter.KEPT:
            return table.kept_at.is_not(None)


def _with_details(mappings: list[OrganizationMapping]) -> list[OrganizationRow]:
    if not mappings:
        return []
    counts: dict[str, int] = defaultdict(int)
    for organization_id, count in db.session.execute(
        select(Asset.rmm_organization_id, func.count())
        .where(
            Asset.integration_id == mappings[0].integration_id,
            Asset.rmm_organization_id.in_([m.external_organization_id for m in mappings]),
            Asset.missing_since.is_(None),
        )
        .group_by(Asset.rmm_organization_id)
    ):
        counts[organization_id] = count
    return [OrganizationRow(each, counts[each.external_organization_id]) for each in mappings]


def clients_by_key(keys: set[str]) -> dict[str, Client]:
    """Clients by their name key."""
    found = db.session.scalars(select(Client).where(is_among(Client.name_key, keys)))
    return {client.name_key: client for client in found}
