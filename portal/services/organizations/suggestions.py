"""Which client each unmapped organization may be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.db import db
from portal.models import Client, OrganizationMapping
from portal.services.integrations.current import integration_id
from portal.services.lists.folding import fold
from portal.services.suggesting import Reason, suggest_some


class Suggested(NamedTuple):
    """`is_sure`: it can be accepted without a look at it."""

    organization_id: int
    external_id: str
    organization: str
    agents: int | None
    """That mapping it would make assets of; None where Tactical does not say."""
    client_id: int
    client: str
    score: int
    reason: Reason
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Suggestions:
    """`is_whole`: there are no others."""

    found: list[Suggested]
    is_whole: bool


def list_suggestions() -> list[Suggested]:
    """Of the connected server's unmapped organizations, by name. Two statements."""
    return find_suggestions(None).found


def find_suggestions(wanted: Collection[int] | None) -> Suggestions:
    """All that say the same name, so all that are sure, and what is alike of those that are wanted
    at least: to look for it among ten thousand takes seconds. None: of all."""
    rows = _list_open()
    unmapped = {row.id: row.external_organization_name for row in rows if row.client_id is None}
    if not unmapped:
        return Suggestions([], is_whole=True)
    mapped = [row.external_organization_name for row in rows if row.client_id is not None]
    clients = _list_clients()
    found, is_whole = suggest_some(
        unmapped, clients, mapped, unmapped if wanted is None else wanted
    )
    listed = [
        Suggested(
            organization_id=row.id,
            external_id=row.external_organization_id,
            organization=row.external_organization_name,
            agents=row.agent_count if row.auto_sync_assets else 0,
            client_id=found[row.id].key,
            client=clients[found[row.id].key],
            score=found[row.id].score,
            reason=found[row.id].reason,
            is_sure=found[row.id].is_sure,
        )
        for row in rows
        if row.id in found
    ]
    listed.sort(key=lambda each: (fold(each.organization), each.organization_id))
    return Suggestions(listed, is_whole)


def _list_clients() -> dict[int, str]:
    rows = db.session.execute(select(Client.id, Client.name).order_by(Client.id))
    return {row.id: row.name for row in rows}


def _list_open() -> Sequence[Any]:
    """Mapped ones too."""
    table = OrganizationMapping
    return db.session.execute(
        select(
            table.id,
            table.external_organization_id,
            table.external_organization_name,
            table.client_id,
            table.auto_sync_assets,
            table.agent_count,
        ).where(
            table.integration_id == integration_id(),
            table.gone_since.is_(None),
            table.ignored.is_(False),
        )
    ).all()
