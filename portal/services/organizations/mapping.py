"""Mapping organizations to the clients they stand for; their assets move along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from portal.db import db, transaction
from portal.errors import NotFound
from portal.models import Asset, Client, OrganizationMapping, SyncRun
from portal.models.assets.change import ChangeAction
from portal.models.organizations.client import name_key
from portal.models.runs.sync_run import SyncKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.clients import find_client_by_name, get_client, insert_client
from portal.services.organizations.listing import (
    OrganizationFilter,
    clients_by_key,
    get_organization,
    get_organization_by_external_id,
    organization_conditions,
)
from portal.sync.history import ColumnChange, record_changes
from portal.sync.reverting.mappings import MAPPED
from portal.sync.runs.log import log_entry
from portal.sync.runs.person_runs import add_person_run, cause_of, record_done
from portal.wording import plural

_COLUMNS = ("client_id", "auto_sync_assets")
"""Of an organization: what a person decides."""
_State = dict[str, Any]


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
        moved = _map(session, mapping, client, user_id)
    return MappingChange(mapping, moved)


def map_to_new_client(mapping_id: int, name: str, user_id: int | None = None) -> MappingChange:
    """Make a client and map the organization to it. Raises InvalidInput when the name is taken."""
    with transaction() as session:
        mapping = get_organization(mapping_id)
        moved = _map(session, mapping, insert_client(session, name), user_id)
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
        moved = _map(session, mapping, client, None, auto_sync)
    return MappingChange(mapping, moved)


def unmap(mapping_id: int, user_id: int | None = None) -> OrganizationMapping:
    """Take the mapping back. Assets stay with their client and are no longer refreshed."""
    with transaction() as session:
        mapping = get_organization(mapping_id)
        before = _state_of(mapping)
        mapping.client_id = None
        mapping.client = None
        title = f"Unmapped {mapping.external_organization_name}"
        _record(session, title, user_id, [(mapping, before)])
    return mapping


def set_auto_sync(mapping_id: int, on: bool, user_id: int | None = None) -> OrganizationMapping:
    with transaction() as session:
        mapping = get_organization(mapping_id)
        before = _state_of(mapping)
        mapping.auto_sync_assets = on
        title = f"Turned auto-sync {'on' if on else 'off'} for {mapping.external_organization_name}"
        _record(session, title, user_id, [(mapping, before)])
    return mapping


def map_exact(create: bool = False, user_id: int | None = None) -> list[MappingChange]:
    """Map each unmapped organization to the client of the same name, case and blanks aside.

    Two organizations of one name are left to a person. With `create`, a client is made where
    there is none.
    """
    with transaction() as session:
        chosen = [each for each in _match_by_name() if each[1] is not None or create]
        before = [(mapping, _state_of(mapping)) for mapping, _client in chosen]
        title = f"Mapped {plural(len(chosen), 'organization')} to clients of the same name"
        changes, run = [], _add_run(session, title, user_id, before)
        for mapping, client in chosen:
            client = client or insert_client(session, mapping.external_organization_name)
            moved = _assign(session, mapping, client, run)
            changes.append(MappingChange(mapping, moved))
        _log(session, run, before)
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


def _map(
    session: Session,
    mapping: OrganizationMapping,
    client: Client,
    user_id: int | None,
    auto_sync: bool | None = None,
) -> int:
    """How many assets moved along."""
    before = [(mapping, _state_of(mapping))]
    title = f"Mapped {mapping.external_organization_name} to {client.name}"
    run = _add_run(session, title, user_id, before)
    moved = _assign(session, mapping, client, run)
    if auto_sync is not None:
        mapping.auto_sync_assets = auto_sync
    _log(session, run, before)
    return moved


def _state_of(mapping: OrganizationMapping) -> _State:
    return {name: getattr(mapping, name) for name in _COLUMNS}


def _record(
    session: Session,
    title: str,
    user_id: int | None,
    before: Sequence[tuple[OrganizationMapping, _State]],
) -> None:
    """A change that moves no asset."""
    session.flush()
    _log(session, _add_run(session, title, user_id, before), before)


def _add_run(
    session: Session,
    title: str,
    user_id: int | None,
    before: Sequence[tuple[OrganizationMapping, _State]],
) -> SyncRun | None:
    """None where there is nothing to map."""
    if not before:
        return None
    integration_id = before[0][0].integration_id
    return add_person_run(session, integration_id, SyncKind.MAPPING, title, user_id)


def _log(
    session: Session, run: SyncRun | None, before: Sequence[tuple[OrganizationMapping, _State]]
) -> None:
    """What became of each, so that it can be undone."""
    entries = []
    for mapping, was in before:
        now = _state_of(mapping)
        changes = {name: [was[name], now[name]] for name in _COLUMNS if was[name] != now[name]}
        if changes:
            external_id, name = mapping.external_organization_id, mapping.external_organization_name
            entries.append(log_entry(MAPPED, external_id, name, changes=changes))
    if run is not None and not entries and not run.moved:
        session.delete(run)  # all was so before
    elif run is not None:
        record_done(session, run, {"seen": len(before), "updated": len(entries)}, entries)
        _audit(run, before)


def _audit(run: SyncRun, before: Sequence[tuple[OrganizationMapping, _State]]) -> None:
    """One row, whether it is about one organization or about many."""
    mapping, was = before[0]
    now = _state_of(mapping)
    if len(before) > 1:
        names = [each.external_organization_name for each, _was in before]
        about = Target("organization", "", plural(len(names), "organization"))
        record(Action.ORGANIZATIONS_MAPPED, about, after={"organizations": names, "run_id": run.id})
        return
    action = Action.AUTO_SYNC_SET
    if was["client_id"] != now["client_id"]:
        is_mapped = mapping.client_id is not None
        action = Action.ORGANIZATIONS_MAPPED if is_mapped else Action.ORGANIZATION_UNMAPPED
    client = mapping.client.name if mapping.client else None
    about = Target("organization", mapping.id, mapping.external_organization_name)
    record(action, about, was, now | {"client": client, "run_id": run.id})


def _assign(
    session: Session, mapping: OrganizationMapping, client: Client, run: SyncRun | None
) -> int:
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
    if run is not None and moves:
        record_changes(session, cause_of(run), moves)
        record_done(session, run, {"moved": len(moves)}, [])
    return len(moves)


def _its_assets(mapping: OrganizationMapping) -> ColumnElement[bool]:
    """Those that follow the mapping: one given to a client by hand stays there."""
    return (
        (Asset.integration_id == mapping.integration_id)
        & (Asset.rmm_organization_id == mapping.external_organization_id)
        & Asset.client_locked.is_(False)
    )
