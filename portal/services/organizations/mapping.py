"""Mapping organizations to the clients they stand for; their assets move along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import Asset, Client, OrganizationMapping, SyncRun
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
from portal.services.organizations.naming import can_name_client
from portal.services.organizations.recording import recorded
from portal.services.organizations.suggestions import find_same
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.person_runs import cause_of, record_done
from portal.wording import plural

AT_ONCE = 500
"""Rows of one statement."""
_FOLLOWS = (Asset.client_locked.is_(False),)
"""The mapping: an asset that was given to a client by hand stays there."""


@dataclass(frozen=True, slots=True)
class MappingChange:
    """`moved_assets` is how many assets now belong to the new client; `run_id`: of the run that
    stands for it, to undo it by."""

    mapping: OrganizationMapping
    moved_assets: int
    run_id: int | None = None


def map_to_client(mapping_id: int, client_id: int, user_id: int | None = None) -> MappingChange:
    """Map the organization; its assets move to the client in the same transaction."""
    with transaction() as session:
        mapping, client = get_organization(mapping_id), get_client(client_id)
        return _map(session, mapping, client, user_id)


def map_to_new_client(mapping_id: int, name: str, user_id: int | None = None) -> MappingChange:
    """Make a client and map the organization to it. Raises InvalidInput when the name is taken."""
    with transaction() as session:
        mapping = get_organization(mapping_id)
        client = insert_client(session, name)
        title = f"Created the client {client.name} of {mapping.external_organization_name}"
        return assign(session, [(mapping, client)], title, user_id, created=[client.id])[0]


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
        return _map(session, mapping, client, None, auto_sync)


def set_auto_sync(mapping_id: int, on: bool, user_id: int | None = None) -> OrganizationMapping:
    with transaction() as session:
        mapping = get_organization(mapping_id)
        title = f"Turned auto-sync {'on' if on else 'off'} for {mapping.external_organization_name}"
        with recorded(session, [mapping], title, user_id):
            mapping.auto_sync_assets = on
    return mapping


def map_exact(create: bool = False, user_id: int | None = None) -> list[MappingChange]:
    """Map each unmapped organization to the client of the same name, case and blanks aside.

    Two organizations of one name are left to a person. With `create`, a client is made where
    there is none and one can be named so.
    """
    with transaction() as session:
        chosen, created = [], []
        for mapping, client in _match_by_name():
            name = mapping.external_organization_name
            if client is None and create and can_name_client(name):
                client = insert_client(session, name)
                created.append(client.id)
            if client is not None:
                chosen.append((mapping, client))
        title = f"Mapped {plural(len(chosen), 'organization')} to clients of the same name"
        return assign(session, chosen, title, user_id, created=created)


def map_suggested(user_id: int | None = None) -> list[MappingChange]:
    """Map each unmapped organization to the client that it surely is."""
    with transaction() as session:
        chosen = load_pairs(session, find_same().find_sure())
        title = f"Mapped {plural(len(chosen), 'organization')} as suggested"
        return assign(session, chosen, title, user_id)


def assign(
    session: Session,
    chosen: Sequence[tuple[OrganizationMapping, Client]],
    title: str,
    user_id: int | None,
    auto_sync: bool | None = None,
    created: Collection[int] = (),
) -> list[MappingChange]:
    """Map each to its client, in a few statements however many they are; their assets move along.
    `auto_sync` None leaves the switches as they are; `created` are the ids of clients that were
    created for it. Inside another's transaction."""
    if not chosen:
        return []
    mappings = [mapping for mapping, _client in chosen]
    with recorded(session, mappings, title, user_id, created) as run:
        for mapping, client in chosen:
            mapping.client_id, mapping.client = client.id, client
            mapping.auto_sync_assets = mapping.auto_sync_assets if auto_sync is None else auto_sync
            mapping.ignored = False
        # Before the assets: a sync holds the organization for the page that it writes.
        session.flush()
        moved = _move_assets(session, mappings, run)
    return [MappingChange(each, moved[each.external_organization_id], run.id) for each in mappings]


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


def load_pairs(
    session: Session, client_ids: Mapping[int, int]
) -> list[tuple[OrganizationMapping, Client]]:
    """Organizations and their clients, by their ids; in the order of the organizations' ids."""
    table = OrganizationMapping
    clients: dict[int, Client] = {}
    mappings: list[OrganizationMapping] = []
    for ids in chunked(sorted(set(client_ids.values())), AT_ONCE):
        found = session.scalars(select(Client).where(Client.id.in_(ids)))
        clients |= {client.id: client for client in found}
    for ids in chunked(sorted(client_ids), AT_ONCE):
        mappings += session.scalars(select(table).where(table.id.in_(ids)).order_by(table.id))
    pairs = [(mapping, clients.get(client_ids[mapping.id])) for mapping in mappings]
    return [(mapping, client) for mapping, client in pairs if client is not None]


def _map(
    session: Session,
    mapping: OrganizationMapping,
    client: Client,
    user_id: int | None,
    auto_sync: bool | None = None,
) -> MappingChange:
    title = f"Mapped {mapping.external_organization_name} to {client.name}"
    return assign(session, [(mapping, client)], title, user_id, auto_sync)[0]


def _move_assets(
    session: Session, mappings: Sequence[OrganizationMapping], run: SyncRun
) -> Counter[str]:
    """To the clients that the organizations are mapped to now. How many moved, by organization."""
    moved: Counter[str] = Counter()
    target_of = {mapping.external_organization_id: mapping.client_id for mapping in mappings}
    for some in chunked(sorted(mappings, key=lambda each: each.id), AT_ONCE):
        moves: dict[int | None, list[ColumnChange]] = {}
        for row in session.execute(_select_to_move([mapping.id for mapping in some])):
            target = target_of[row.rmm_organization_id]
            change = ColumnChange(row.id, ChangeAction.MOVED, "client_id", row.client_id, target)
            moves.setdefault(target, []).append(change)
            moved[row.rmm_organization_id] += 1
        for target, changes in moves.items():
            for part in chunked([change.asset_id for change in changes], AT_ONCE):
                session.execute(update(Asset).where(Asset.id.in_(part)).values(client_id=target))
            record_changes(session, cause_of(run), changes)
    record_done(session, run, {"moved": moved.total()}, [])
    return moved


def _select_to_move(mapping_ids: Sequence[int]) -> Select[int, int, str]:
    table = OrganizationMapping
    its_organization = and_(
        Asset.integration_id == table.integration_id,
        Asset.rmm_organization_id == table.external_organization_id,
    )
    return (
        select(Asset.id, Asset.client_id, Asset.rmm_organization_id)
        .join(table, its_organization)
        .where(table.id.in_(mapping_ids), *_FOLLOWS, Asset.client_id != table.client_id)
        .order_by(Asset.id)
        .with_for_update(of=Asset)
    )


def _its_assets(mapping: OrganizationMapping) -> ColumnElement[bool]:
    return and_(
        Asset.integration_id == mapping.integration_id,
        Asset.rmm_organization_id == mapping.external_organization_id,
        *_FOLLOWS,
    )
