"""Organizations: listed, and mapped to the clients they stand for."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, joinedload

from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import Asset, Client, OrganizationMapping
from portal.models.client import name_key
from portal.services.clients import find_client_by_name, get_client, insert_client
from portal.services.integrations import find_integration, get_integration
from portal.services.paging import Page, paginate
from portal.services.search import contains


class OrganizationFilter(StrEnum):
    ALL = "all"
    UNMAPPED = "unmapped"
    MAPPED = "mapped"
    AUTO_SYNC_OFF = "auto-sync-off"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization with the assets it has here, and a client of the same name, if any."""

    mapping: OrganizationMapping
    assets: int
    suggestion: Client | None


@dataclass(frozen=True, slots=True)
class MappingChange:
    """`moved_assets` is how many assets now belong to the new client."""

    mapping: OrganizationMapping
    moved_assets: int


def list_organizations(
    shown: OrganizationFilter = OrganizationFilter.ALL, search: str = "", page: int = 1
) -> Page[OrganizationRow]:
    """Organizations of the connected server by name."""
    conditions = _conditions(shown, search)
    found = paginate(
        select(OrganizationMapping)
        .where(*conditions)
        .options(joinedload(OrganizationMapping.client))
        .order_by(
            func.lower(OrganizationMapping.external_organization_name), OrganizationMapping.id
        ),
        select(func.count()).select_from(OrganizationMapping).where(*conditions),
        page,
        lambda row: row[0],
    )
    return Page(_with_details(found.items), found.number, found.total)


def count_organizations() -> dict[OrganizationFilter, int]:
    """How many organizations each filter shows."""
    return {
        shown: db.session.scalar(
            select(func.count()).select_from(OrganizationMapping).where(*_conditions(shown, ""))
        )
        or 0
        for shown in OrganizationFilter
    }


def get_organization(mapping_id: int) -> OrganizationMapping:
    mapping = db.session.scalar(
        select(OrganizationMapping)
        .where(OrganizationMapping.id == mapping_id)
        .options(joinedload(OrganizationMapping.client))
        .execution_options(populate_existing=True)
    )
    if mapping is None:
        raise NotFound("There is no such organization.")
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
        raise NotFound(f"There is no organization {external_id}. Sync organizations first.")
    return mapping


def count_assets_to_move(mapping_id: int) -> int:
    """How many assets change hands when the organization is mapped to another client."""
    mapping = get_organization(mapping_id)
    return db.session.scalar(select(func.count(Asset.id)).where(_its_assets(mapping))) or 0


def map_to_client(mapping_id: int, client_id: int) -> MappingChange:
    """Map the organization; its assets move to the client in the same transaction."""
    with transaction() as session:
        mapping, client = get_organization(mapping_id), get_client(client_id)
        moved = _assign(session, mapping, client)
    return MappingChange(mapping, moved)


def map_to_new_client(mapping_id: int, name: str) -> MappingChange:
    """Make a client and map the organization to it. Raises InvalidInput when the name is taken."""
    with transaction() as session:
        mapping = get_organization(mapping_id)
        moved = _assign(session, mapping, insert_client(session, name))
    return MappingChange(mapping, moved)


def map_to_client_named(
    external_id: str, name: str, create: bool, auto_sync: bool | None
) -> MappingChange:
    """For commands: by Tactical's client pk and the client's name.

    `auto_sync` None leaves the switch as it is. Raises NotFound when there is no such client
    and `create` is False.
    """
    with transaction() as session:
        mapping = get_organization_by_external_id(external_id)
        client = find_client_by_name(name)
        if client is None and not create:
            raise NotFound(f"There is no client named {name!r}. Say --create to make it.")
        moved = _assign(session, mapping, client or insert_client(session, name))
        if auto_sync is not None:
            mapping.auto_sync_assets = auto_sync
    return MappingChange(mapping, moved)


def unmap(mapping_id: int) -> OrganizationMapping:
    """Take the mapping back. Assets stay with their client and are no longer refreshed."""
    with transaction():
        mapping = get_organization(mapping_id)
        mapping.client_id = None
        mapping.client = None
    return mapping


def set_auto_sync(mapping_id: int, on: bool) -> OrganizationMapping:
    with transaction():
        mapping = get_organization(mapping_id)
        mapping.auto_sync_assets = on
    return mapping


def map_exact(create: bool = False) -> list[MappingChange]:
    """Map each unmapped organization to the client of the same name, case and blanks aside.

    Two organizations of one name are left to a person. With `create`, a client is made where
    there is none.
    """
    with transaction() as session:
        unmapped = session.scalars(
            select(OrganizationMapping)
            .where(*_conditions(OrganizationFilter.UNMAPPED, ""))
            .order_by(OrganizationMapping.id)
        ).all()
        clients = _clients_by_key({name_key(m.external_organization_name) for m in unmapped})
        often = Counter(name_key(m.external_organization_name) for m in unmapped)
        changes = []
        for mapping in unmapped:
            key = name_key(mapping.external_organization_name)
            client = clients.get(key)
            if often[key] > 1 or (client is None and not create):
                continue
            client = client or insert_client(session, mapping.external_organization_name)
            changes.append(MappingChange(mapping, _assign(session, mapping, client)))
    return changes


def _assign(session: Session, mapping: OrganizationMapping, client: Client) -> int:
    mapping.client_id, mapping.client = client.id, client
    moved = session.execute(
        update(Asset)
        .where(_its_assets(mapping), Asset.client_id != client.id)
        .values(client_id=client.id)
    )
    session.flush()
    count: int = moved.rowcount  # type: ignore[attr-defined]
    return count


def _its_assets(mapping: OrganizationMapping) -> ColumnElement[bool]:
    return (Asset.integration_id == mapping.integration_id) & (
        Asset.rmm_organization_id == mapping.external_organization_id
    )


def _conditions(shown: OrganizationFilter, search: str) -> list[ColumnElement[bool]]:
    integration = find_integration()
    table = OrganizationMapping
    conditions = [table.integration_id == (integration.id if integration else None)]
    match shown:
        case OrganizationFilter.UNMAPPED:
            conditions.append(table.client_id.is_(None) & table.gone_since.is_(None))
        case OrganizationFilter.MAPPED:
            conditions.append(table.client_id.is_not(None))
        case OrganizationFilter.AUTO_SYNC_OFF:
            conditions.append(table.auto_sync_assets.is_(False))
        case OrganizationFilter.GONE:
            conditions.append(table.gone_since.is_not(None))
    if search.strip():
        conditions.append(contains(table.external_organization_name, search.strip()))
    return conditions


def _with_details(mappings: list[OrganizationMapping]) -> list[OrganizationRow]:
    if not mappings:
        return []
    counts: dict[str, int] = defaultdict(int)
    for organization_id, count in db.session.execute(
        select(Asset.rmm_organization_id, func.count())
        .where(
            Asset.integration_id == mappings[0].integration_id,
            Asset.rmm_organization_id.in_([m.external_organization_id for m in mappings]),
        )
        .group_by(Asset.rmm_organization_id)
    ):
        counts[organization_id] = count
    unmapped = [m for m in mappings if m.client_id is None]
    clients = _clients_by_key({name_key(m.external_organization_name) for m in unmapped})
    return [
        OrganizationRow(
            mapping,
            counts[mapping.external_organization_id],
            None
            if mapping.client_id
            else clients.get(name_key(mapping.external_organization_name)),
        )
        for mapping in mappings
    ]


def _clients_by_key(keys: set[str]) -> dict[str, Client]:
    found = db.session.scalars(select(Client).where(Client.name_key.in_(keys)))
    return {client.name_key: client for client in found}
