"""Clients as of a past day: how many computers each had, and of which status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from portal.db import db
from portal.models import Client, DailyCount
from portal.services.assets.listing import STATUSES
from portal.services.past.days import end_of
from portal.services.past.fleet import count_by_client


@dataclass(frozen=True, slots=True)
class PastClient:
    """`by_status` is as it was counted that night; None where nobody counted."""

    id: int
    name: str
    by_type: Counter[str]
    by_status: Mapping[str, int] | None


def list_past_clients(day: date, search: str) -> list[PastClient]:
    """Those that there were and are, by name."""
    counts, statuses = count_by_client(end_of(day)), _read_statuses(day)
    rows = db.session.execute(
        select(Client.id, Client.name, Client.created_at).order_by(Client.name_key)
    )
    return [
        PastClient(row.id, row.name, counts.get(row.id, Counter()), statuses.get(row.id))
        for row in rows
        if search.casefold() in row.name.casefold()
        and (row.created_at < end_of(day) or row.id in counts)
    ]


def _read_statuses(day: date) -> dict[int, dict[str, int]]:
    columns = [getattr(DailyCount, word) for word in STATUSES]
    rows = db.session.execute(
        select(DailyCount.client_id, *columns).where(
            DailyCount.day == day, DailyCount.client_id.is_not(None), DailyCount.online.is_not(None)
        )
    )
    return {row[0]: dict(zip(STATUSES, row[1:], strict=True)) for row in rows}
