"""Clients as of a past day: how many computers each had, and of which status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, true

from portal.db import db
from portal.models import Client, DailyCount
from portal.services.assets.edits import ASSET_TYPES
from portal.services.assets.listing import STATUSES
from portal.services.clients import is_named_like
from portal.services.export import Row
from portal.services.past.days import end_of
from portal.services.past.fleet import DELETED_CLIENT, count_by_client

PAST_CLIENT_COLUMNS = ("client_id", "client", "assets", *ASSET_TYPES, *STATUSES)
"""Of the file, in order."""


@dataclass(frozen=True, slots=True)
class PastClient:
    """`by_status` is as it was counted that night; None where nobody counted."""

    id: int
    name: str
    by_type: Counter[str]
    by_status: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class PastClients:
    """`listed`: those that there were and are, by name; `deleted`: those that there were."""

    listed: list[PastClient]
    deleted: list[PastClient]

    @property
    def any_status(self) -> bool:
        """Whether somebody counted that night."""
        return any(client.by_status for client in self.listed)

    @property
    def deleted_assets(self) -> int:
        return sum(client.by_type.total() for client in self.deleted)


def list_past_clients(day: date, search: str) -> PastClients:
    """Whose name holds the words. Of those that were deleted since, no name is known: they are
    there where nothing is looked for, as far as their assets are known."""
    counts, statuses = count_by_client(end_of(day)), _read_statuses(day)
    is_wanted = is_named_like(search) if search else true()
    rows = db.session.execute(
        select(Client.id, Client.name, Client.created_at, is_wanted.label("is_wanted")).order_by(
            Client.name_key
        )
    ).all()
    listed = [
        PastClient(row.id, row.name, counts.get(row.id, Counter()), statuses.get(row.id))
        for row in rows
        if row.is_wanted and (row.created_at < end_of(day) or row.id in counts)
    ]
    gone = () if search else sorted(counts.keys() - {row.id for row in rows})
    deleted = [
        PastClient(each, DELETED_CLIENT, counts[each], statuses.get(each))
        for each in gone
        if counts[each].total()
    ]
    return PastClients(listed, deleted)


def export_past_clients(found: PastClients) -> Iterator[Row]:
    """With the columns of PAST_CLIENT_COLUMNS."""
    for client in (*found.listed, *found.deleted):
        numbers = {word: client.by_type[word] for word in ASSET_TYPES}
        states: dict[str, int | None] = {
            word: client.by_status[word] if client.by_status else None for word in STATUSES
        }
        total = client.by_type.total()
        about = {"client_id": client.id, "client": client.name, "assets": total}
        yield about | numbers | states


def _read_statuses(day: date) -> dict[int, dict[str, int]]:
    columns = [getattr(DailyCount, word) for word in STATUSES]
    rows = db.session.execute(
        select(DailyCount.client_id, *columns).where(
            DailyCount.day == day, DailyCount.client_id.is_not(None), DailyCount.online.is_not(None)
        )
    )
    return {row[0]: dict(zip(STATUSES, row[1:], strict=True)) for row in rows}
