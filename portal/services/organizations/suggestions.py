"""Which client each unmapped organization may be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from portal.db import db
from portal.models import Client, OrganizationMapping
from portal.services.integrations.current import integration_id
from portal.services.suggesting import Reason, Suggestion, suggest


@dataclass(frozen=True, slots=True)
class Suggested:
    """`is_sure`: it can be accepted without a look at it."""

    organization_id: int
    external_id: str
    organization: str
    client_id: int
    client: str
    score: int
    reason: Reason
    is_sure: bool


def list_suggestions() -> list[Suggested]:
    """Of the connected server's unmapped organizations, by name. Two statements."""
    table = OrganizationMapping
    rows = db.session.execute(
        select(
            table.id,
            table.external_organization_id,
            table.external_organization_name,
            table.client_id,
        )
        .where(table.integration_id == integration_id(), table.gone_since.is_(None))
        .order_by(func.lower(table.external_organization_name), table.id)
    ).all()
    unmapped = {row.id: row.external_organization_name for row in rows if row.client_id is None}
    if not unmapped:
        return []
    mapped = [row.external_organization_name for row in rows if row.client_id is not None]
    clients = _list_clients()
    found = suggest(unmapped, clients, besides=mapped)
    return [
        _make(row.id, row.external_organization_id, unmapped[row.id], found[row.id], clients)
        for row in rows
        if row.id in found
    ]


def _list_clients() -> dict[int, str]:
    rows = db.session.execute(select(Client.id, Client.name).order_by(Client.id))
    return {row.id: row.name for row in rows}


def _make(
    organization_id: int,
    external_id: str,
    name: str,
    found: Suggestion[int],
    clients: dict[int, str],
) -> Suggested:
    client = clients[found.key]
    return Suggested(
        organization_id, external_id, name, found.key, client, found.score, found.reason,
        found.is_sure,
    )  # fmt: skip
