"""Mapping organizations to the clients they stand for; their assets move along."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import Asset, Client, OrganizationMapping
from portal.models.assets.change import ChangeAction
from portal.models.organizations.client import name_key
from portal.services.clients import find_client_by_name, get_client, insert_client
from portal.services.organizations.listing import (
    OrganizationFilter,
    clients_by_key,
    get_organization,
    get_organization_by_external_id,
    organization_conditions,
)
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause


@dataclass(frozen=True, slots=True)
class MappingChange:
    """`moved_assets` is how many assets now belong to the new client."""

    mapping: OrganizationMapping
    moved_assets: int


def count_assets_to_move(mapping_id: int, client_id: int | None) -> int:
    """How many assets change hands when the organization is mapped to that client.

    None stands for a client yet to be made.
    """
    query = select(func.count(Asset.id)).where(_its_assets(get_organization(mapping_id)))
    if client_id is not None:
        query = query.where(Asset.client_id != client_id)
    return db.session.scalar(query) or 0


def map_to_client(mapping_id: int, client_id: int, user_id: int | None = None) -> MappingChange:
    """Map the organization; its assets move to the client in the same transaction."""
    with transaction() as session:
        mapping, client = get_organization(mapping_id), get_client(client_id)
        moved = _assign(session, mapping, client, Cause.of_person(user_id))
    return MappingChange(mapping, moved)


def map_to_new_client(mapping_id: int, name: str, user_id: int | None = None) -> MappingChange:
    """Make a client and map the organization to it. Raises InvalidInput when the name is taken."""
    with transaction() as session:
        mapping = get_organization(mapping_id)
        moved = _assign(session, mapping, insert_client(session, name), Cause.of_person(user_id))
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
            raise NotFound(f"There is no client named {name!r}. Add --create to create it.")
        client = client or insert_client(session, name)
        moved = _assign(session, mapping, client, Cause.of_person(None))
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


def map_exact(create: bool = False, user_id: int | None = None) -> list[MappingChange]:
    """Map each unmapped organization to the client of the same name, case and blanks aside.

    Two organizations of one name are left to a person. With `create`, a client is made where
    there is none.
    """
    with transaction() as session:
        changes = []
        for mapping, client in _match_by_name():
            if client is None and not create:
                continue
            client = client or insert_client(session, mapping.external_organization_name)
            moved = _assign(session, mapping, client, Cause.of_person(user_id))
            changes.append(MappingChange(mapping, moved))
    return changes


def count_exact_matches() -> int:
    """How many organizations `map_exact` would map."""
    return sum(client is not None for _mapping, client in _match_by_name())


def _match_by_name() -> list[tuple[OrganizationMapping, Client | None]]:
    """The unmapped organizations whose name only one of them has, and the client named so."""
    unmapped = db.session.scalars(
        select(OrganizationMapping)
        .where(*organization_conditions(OrganizationFilter.UNMAPPED, ""))
        .order_by(OrganizationMapping.id)
    ).all()
    keys = [name_key(mapping.external_organization_name) for mapping in unmapped]
    often, clients = Counter(keys), clients_by_key(set(keys))
    return [
        (mapping, clients.get(key))
        for mapping, key in zip(unmapped, keys, strict=True)
        if often[key] == 1
    ]


def _assign(session: Session, mapping: OrganizationMapping, client: Client, cause: Cause) -> int:
    mapping.client_id, mapping.client = client.id, client
    # Before the assets: a sync holds the organization for the page that it writes.
    session.flush()
    its_others = _its_assets(mapping) & (Asset.client_id != client.id)
    moves = [
        ColumnChange(row.id, ChangeAction.MOVED, "client_id", row.client_id, client.id)
        for row in session.execute(
            select(Asset.id, Asset.client_id).where(its_others).with_for_update()
        )
    ]
    session.execute(update(Asset).where(its_others).values(client_id=client.id))
    record_changes(session, cause, moves)
    return len(moves)


def _its_assets(mapping: OrganizationMapping) -> ColumnElement[bool]:
    """Those that follow the mapping: one given to a client by hand stays there."""
    return (
        (Asset.integration_id == mapping.integration_id)
        & (Asset.rmm_organization_id == mapping.external_organization_id)
        & Asset.client_locked.is_(False)
    )
