"""The list of clients: in order, and what is the matter with each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, func, select

from portal.db import db
from portal.models import Alert, Asset, Client
from portal.models.alerts.alert import AlertStatus
from portal.services.alerts.belonging import CLIENT_ID, join_client
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.listing import AssetFilter, asset_conditions
from portal.services.clients import ClientRow, page_of_clients, query_clients
from portal.services.lists.paging import Page


@dataclass(frozen=True, slots=True)
class ClientState:
    overdue: int = 0
    alerts: int = 0
    """Active ones."""


def list_clients(search: str = "", page: int = 1, sort: str = "name") -> Page[ClientRow]:
    """With how many assets (missing ones aside) and organizations each has.

    `sort`: `name`, `assets`, `organizations`, or a word of COUNTS; with a `-` downwards.
    """
    query, word = query_clients(), sort.lstrip("-")
    column: Any = Client.name_key
    if word in COUNTS:
        counted = COUNTS[word]().subquery()
        query = query.outerjoin(counted, counted.c.client_id == Client.id)
        column = func.coalesce(counted.c.number, 0)
    elif word in ("assets", "organizations"):
        column = query.selected_columns[word]
    first = column.desc() if sort.startswith("-") else column.asc()
    return page_of_clients(query, search, page, first, Client.name_key)


def read_client_states(client_ids: Collection[int]) -> dict[int, ClientState]:
    """Of those of the clients alone with which something is the matter."""
    found: dict[int, dict[str, int]] = {}
    for word, count in COUNTS.items():
        counted = count()
        its_client = counted.selected_columns.client_id
        for client_id, number in db.session.execute(counted.where(its_client.in_(client_ids))):
            found.setdefault(client_id, {})[word] = number
    return {client_id: ClientState(**numbers) for client_id, numbers in found.items()}


def _count_overdue() -> Select[Any]:
    overdue = asset_conditions(AssetFilter(status="overdue"), get_stale_before())
    return _count_by(Asset.client_id).where(*overdue)


def _count_alerts() -> Select[Any]:
    """As the list of a client's alerts has them: of computers that are no assets, too."""
    alerts = join_client(_count_by(CLIENT_ID).select_from(Alert))
    return alerts.where(Alert.status == AlertStatus.ACTIVE)


def _count_by(client_id: SQLColumnExpression[Any]) -> Select[Any]:
    columns: tuple[Any, ...] = (client_id.label("client_id"), func.count().label("number"))
    return select(*columns).group_by(client_id)


COUNTS: Mapping[str, Callable[[], Select[Any]]] = {
    "overdue": _count_overdue,
    "alerts": _count_alerts,
}
"""By the field of `ClientState`: `client_id` and `number` of each client that has any."""
