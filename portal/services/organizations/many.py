"""What a person does to one organization or to many at once; each can be undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import Client, OrganizationMapping, SyncLogEntry, SyncRun
from portal.models.organizations.client import name_key
from portal.models.undo.offer import UndoKind
from portal.services.client_choosing import ChosenClients
from portal.services.clients import delete_bare_clients, get_client, insert_clients
from portal.services.integrations.current import integration_id
from portal.services.organizations.listing import clients_by_key
from portal.services.organizations.mapping import AT_ONCE, assign, load_pairs
from portal.services.organizations.naming import split_by_name, tell_unfit
from portal.services.organizations.recording import recorded
from portal.services.organizations.suggestions import find_same
from portal.services.runs.history import get_run
from portal.services.undo.offers import offer_undo
from portal.services.undo.runs import revert, tell_reverted
from portal.sync.reverting.mappings import CLIENT_CREATED
from portal.wording import plural


@dataclass(frozen=True, slots=True)
class Done:
    """`text`: as a sentence. `undo`: the number of the offer to take it back, or None."""

    text: str
    undo: int | None = None


def accept_many(client_ids: Mapping[int, int], user_id: int | None = None) -> Done:
    """Map organizations to the clients that were suggested for them, both by id."""
    with transaction() as session:
        pairs = load_pairs(session, client_ids)
        done = _assign(session, pairs, "as suggested", user_id)
    return offer_done(*done)


def accept_sure(ids: Collection[int], user_id: int | None = None) -> Done:
    """Map those whose suggestion is sure: of the rest, each is for somebody to look at."""
    if not ids:
        raise InvalidInput("Choose at least one organization.")
    wanted = set(ids)
    sure = {each: client for each, client in find_same().find_sure().items() if each in wanted}
    if not sure:
        raise InvalidInput("No suggestion for these is sure. Look at each, and tick what is right.")
    return accept_many(sure, user_id)


def assign_many(ids: Collection[int], client_id: int, user_id: int | None = None) -> Done:
    """All to one client. Raises NotFound where there is none."""
    with transaction() as session:
        client = get_client(client_id)
        pairs = [(mapping, client) for mapping in _load(session, ids)]
        done = _assign(session, pairs, f"to {client.name}", user_id)
    return offer_done(*done)


def create_many(ids: Collection[int], user_id: int | None = None) -> Done:
    """A client of each organization's name, or the one that has the name already. Those that are
    mapped stay as they are, and so do those whose name no client can have: they are named. Raises
    InvalidInput where there are only such."""
    with transaction() as session:
        mappings = [each for each in _load(session, ids) if each.client_id is None]
        if not mappings:
            return Done("None of these organizations is unmapped.")
        fit, unfit = split_by_name(mappings)
        if not fit:
            raise InvalidInput(tell_unfit(unfit))
        clients = clients_by_key({name_key(each.external_organization_name) for each in fit})
        missing = {name_key(each.external_organization_name): each for each in reversed(fit)}
        names = [missing[key].external_organization_name for key in missing.keys() - clients.keys()]
        created = insert_clients(session, sorted(names))
        clients |= {client.name_key: client for client in created}
        pairs = [(each, clients[name_key(each.external_organization_name)]) for each in fit]
        text = _tell_created(pairs, len(created))
        changes = assign(session, pairs, text, user_id, created={client.id for client in created})
    also = f" {tell_unfit(unfit)}" if unfit else ""
    return offer_done(f"{text}.{also}", changes[0].run_id)


def ignore_many(ids: Collection[int], on: bool, user_id: int | None = None) -> Done:
    """Leave unmapped organizations alone, or ask about them again."""
    with transaction() as session:
        mappings = [
            each
            for each in _load(session, ids)
            if each.client_id is None and each.ignored is not on
        ]
        if not mappings:
            return Done("None of these organizations is unmapped.")
        title = f"{'Ignored' if on else 'No longer ignored'}: {_name(mappings)}"
        with recorded(session, mappings, title, user_id) as run:
            run_id = run.id
            for mapping in mappings:
                mapping.ignored = on
    return offer_done(f"{title}.", run_id)


def unmap_many(ids: Collection[int], user_id: int | None = None) -> Done:
    """Take mappings back. Assets stay with their clients and are no longer refreshed."""
    with transaction() as session:
        mappings = [each for each in _load(session, ids) if each.client_id is not None]
        if not mappings:
            return Done("None of these organizations is mapped.")
        title = f"Unmapped {_name(mappings)}"
        with recorded(session, mappings, title, user_id) as run:
            run_id = run.id
            for mapping in mappings:
                mapping.client_id, mapping.client = None, None
    stay = "Its assets stay" if len(mappings) == 1 else "Their assets stay"
    return offer_done(f"{title}. {stay}.", run_id)


def set_auto_sync_many(ids: Collection[int], on: bool, user_id: int | None = None) -> Done:
    """Whether device syncs make and update the assets of these organizations."""
    with transaction() as session:
        text, run_id = _set_auto_sync(session, _load(session, ids), on, user_id)
    return offer_done(text, run_id)


def set_auto_sync_of(chosen: ChosenClients, on: bool, user_id: int | None = None) -> Done:
    """Of all that are mapped to these clients. Raises InvalidInput where none was chosen."""
    table = OrganizationMapping
    its = table.integration_id == integration_id(), table.client_id.in_(chosen.select_ids())
    with transaction() as session:
        mappings = session.scalars(select(table).where(*its).order_by(table.id)).all()
        text, run_id = _set_auto_sync(session, mappings, on, user_id)
    return offer_done(text, run_id)


def offer_done(text: str, run_id: int | None) -> Done:
    """What a run stands for, which can be taken back; None: nothing was done."""
    if run_id is None:
        return Done(text)
    return Done(text, offer_undo(UndoKind.MAPPING, {"run_id": run_id}))


def take_back(run_id: int, user_id: int) -> str:
    """Undo what one of these did, and the clients that were created for it where nothing else has
    come to them. Raises NotFound, and Refused where it cannot be."""
    run = get_run(run_id)
    title, created = run.title or "The mapping", _list_created(run)
    reverted = revert(run, run.moved, user_id)
    if reverted is None:
        return "Being undone: many assets move back. It takes a few seconds."
    for some in chunked(created, AT_ONCE):
        delete_bare_clients(some)
    return tell_reverted(title, reverted, "organization")


def _assign(
    session: Session,
    pairs: list[tuple[OrganizationMapping, Client]],
    how: str,
    user_id: int | None,
) -> tuple[str, int | None]:
    """What was done, and the run that stands for it."""
    if not pairs:
        return "There is nothing to map.", None
    title = f"Mapped {_name([mapping for mapping, _client in pairs])} {how}"
    if len(pairs) == 1:
        title = f"Mapped {pairs[0][0].external_organization_name} to {pairs[0][1].name}"
    changes = assign(session, pairs, title, user_id)
    moved = sum(each.moved_assets for each in changes)
    also = f" {plural(moved, 'asset')} moved along." if moved else ""
    return f"{title}.{also}", changes[0].run_id


def _tell_created(pairs: Sequence[tuple[OrganizationMapping, Client]], created: int) -> str:
    if len(pairs) > 1:
        return f"Created {plural(created, 'client')}, mapped {plural(len(pairs), 'organization')}"
    [(_mapping, client)] = pairs
    return f"{'Created' if created else 'Mapped to'} the client {client.name}"


def _set_auto_sync(
    session: Session, mappings: Sequence[OrganizationMapping], on: bool, user_id: int | None
) -> tuple[str, int | None]:
    """What was done, and the run that stands for it."""
    mapped = [each for each in mappings if each.client_id is not None]
    changing = [each for each in mapped if each.auto_sync_assets is not on]
    state = "on" if on else "off"
    if not mapped:
        return "None of these organizations is mapped.", None
    if not changing:
        return f"Auto-sync is {state} already.", None
    title = f"Turned auto-sync {state} for {_name(changing)}"
    with recorded(session, changing, title, user_id) as run:
        run_id = run.id
        for mapping in changing:
            mapping.auto_sync_assets = on
    return f"{title}.", run_id


def _load(session: Session, ids: Collection[int]) -> list[OrganizationMapping]:
    """Of the connected server, by name. Raises InvalidInput where none was chosen."""
    if not ids:
        raise InvalidInput("Choose at least one organization.")
    table = OrganizationMapping
    found: list[OrganizationMapping] = []
    for some in chunked(sorted(set(ids)), AT_ONCE):
        its = table.integration_id == integration_id(), table.id.in_(some)
        found += session.scalars(select(table).where(*its).order_by(table.id))
    return found


def _name(mappings: Collection[OrganizationMapping]) -> str:
    if len(mappings) > 1:
        return plural(len(mappings), "organization")
    return next(iter(mappings)).external_organization_name


def _list_created(run: SyncRun) -> list[int]:
    rows = db.session.scalars(
        select(SyncLogEntry.changes).where(
            SyncLogEntry.run_id == run.id, SyncLogEntry.reason == CLIENT_CREATED
        )
    )
    return sorted({changes["client_id"][1] for changes in rows if changes})
