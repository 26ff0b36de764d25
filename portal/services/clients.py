"""Clients: the MSP's customers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.db import db, is_among, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Asset, Client, OrganizationMapping
from portal.models.organizations.client import name_key
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.lists.paging import Page, paginate
from portal.services.lists.search import is_called
from portal.services.text import clean_line
from portal.wording import plural

PICKER_LIMIT = 20
CLIENT_COLUMNS = ("client_id", "client", "assets", "organizations")
"""Of the file, in order."""
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class ClientRow:
    id: int
    name: str
    assets: int
    organizations: int


def export_clients(conditions: Collection[ColumnElement[bool]]) -> Iterator[dict[str, Any]]:
    """Those that meet the conditions, by name, with the columns of CLIENT_COLUMNS."""
    query = query_clients().where(*conditions).order_by(Client.name_key, Client.id)
    for row in db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield dict(zip(CLIENT_COLUMNS, row, strict=True))


def pick_clients(search: str) -> Page[ClientRow]:
    """The first clients whose name holds `search`; those that start with it come first."""
    starts_with = Client.name_key.startswith(name_key(search), autoescape=True)
    first = case((starts_with, 0), else_=1)
    found = page_of_clients(query_clients(), search, 1, first, Client.name_key)
    return replace(found, items=found.items[:PICKER_LIMIT])


def page_of_clients(query: Select[Any], search: str, page: int, *order: Any) -> Page[ClientRow]:
    query, total = query.order_by(*order, Client.id), select(func.count(Client.id))
    if search:
        condition = is_named_like(search)
        query, total = query.where(condition), total.where(condition)
    return paginate(query, total, page, lambda row: ClientRow(**row._mapping))


def query_clients() -> Select[Any]:
    """With the columns of `ClientRow`."""
    assets = _count(Asset.id, Asset.client_id).where(Asset.missing_since.is_(None))
    organizations = _count(OrganizationMapping.id, OrganizationMapping.client_id)
    return select(
        Client.id,
        Client.name,
        assets.scalar_subquery().label("assets"),
        organizations.scalar_subquery().label("organizations"),
    )


def is_named_like(search: str) -> ColumnElement[bool]:
    """The name holds the words of the text, whatever their case and accents."""
    return is_called(Client.name_key, Client.company_words, name_key(search))


def list_client_names(ids: Iterable[int | None]) -> dict[int, str]:
    """By id; a client that is gone, and None, have none."""
    wanted = {client_id for client_id in ids if client_id is not None}
    if not wanted:
        return {}
    rows = db.session.execute(select(Client.id, Client.name).where(Client.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def get_client(client_id: int) -> Client:
    client = db.session.scalar(select(Client).where(Client.id == client_id))
    if client is None:
        raise NotFound("This client does not exist. Choose one from the list of clients.")
    return client


def find_client_by_name(name: str) -> Client | None:
    return db.session.scalar(select(Client).where(Client.name_key == name_key(name)))


def add_client(name: str) -> Client:
    """Raises InvalidInput when the name is blank or taken (case and blanks aside)."""
    with transaction() as session:
        return insert_client(session, name)


def insert_client(session: Session, name: str) -> Client:
    """`add_client` inside another service's transaction."""
    client = Client(name=_free_name(name, but=None))
    session.add(client)
    session.flush()
    record(Action.CLIENT_ADDED, _target(client), after={"name": client.name})
    return client


def insert_clients(session: Session, names: Iterable[str]) -> list[Client]:
    """Many at once, of names that no client has yet. Raises InvalidInput where none can."""
    clients = [Client(name=clean_name(name)) for name in names]
    session.add_all(clients)
    session.flush()
    for client in clients:
        record(Action.CLIENT_ADDED, _target(client), after={"name": client.name})
    return clients


def rename_client(client_id: int, name: str) -> Client:
    with transaction():
        client = get_client(client_id)
        before, client.name = client.name, _free_name(name, but=client_id)
        if client.name != before:
            values = {"name": before}, {"name": client.name}
            record(Action.CLIENT_RENAMED, _target(client), *values)
    return client


def delete_client(client_id: int) -> str:
    """The name of the client deleted. Raises Refused while anything hangs on it."""
    with transaction() as session:
        client = get_client(client_id)
        assets, missing = session.execute(
            select(func.count(), func.count(Asset.missing_since)).where(
                Asset.client_id == client_id
            )
        ).one()
        organizations = session.scalar(
            select(func.count(OrganizationMapping.id)).where(
                OrganizationMapping.client_id == client_id
            )
        )
        if assets or organizations:
            gone = f" ({missing} of them no longer in Tactical)" if missing else ""
            raise Refused(
                f"{client.name} cannot be deleted: it has {plural(assets, 'asset')}{gone} and "
                f"{plural(organizations or 0, 'mapped organization')}. Map those organizations to "
                "another client first; their assets move with them."
            )
        name = client.name
        session.delete(client)
        record(Action.CLIENT_DELETED, _target(client), before={"name": name})
    return name


def delete_bare_clients(ids: Collection[int]) -> None:
    """Of these clients those on which nothing hangs."""
    assets = select(Asset.id).where(Asset.client_id == Client.id)
    organizations = select(OrganizationMapping.id).where(OrganizationMapping.client_id == Client.id)
    is_bare = ~assets.exists(), ~organizations.exists()
    with transaction() as session:
        for client in session.scalars(select(Client).where(is_among(Client.id, ids), *is_bare)):
            session.delete(client)
            record(Action.CLIENT_DELETED, _target(client), before={"name": client.name})


def _target(client: Client) -> Target:
    return Target("client", client.id, client.name)


def clean_name(name: str) -> str:
    """Raises InvalidInput where no client can have it."""
    return clean_line(name, "name", "a name for the client")


def _free_name(name: str, but: int | None) -> str:
    name = clean_name(name)
    other = find_client_by_name(name)
    if other is not None and other.id != but:
        raise InvalidInput(
            f"A client named {other.name} already exists. Choose another name.", field="name"
        )
    return name


def _count(
    column: InstrumentedAttribute[int], client_id: InstrumentedAttribute[Any]
) -> Select[int]:
    query: Select[int] = select(func.count(column)).where(client_id == Client.id)
    return query.correlate(Client)
