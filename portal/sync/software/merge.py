"""The software of two assets that are one computer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.db import add_rows
from portal.models import AssetSoftware, SoftwareTitle
from portal.sync.devices.merging.snapshots import row_from_json
from portal.sync.history import to_json


class Install(NamedTuple):
    title_id: int
    version: str
    installed_on: date | None
    first_seen_at: datetime
    removed_at: datetime | None


class SoftwareOf(NamedTuple):
    """Of one asset, and when the list was read; None before the first time."""

    read_at: datetime | None
    installs: Sequence[Install]


def combine(keep: SoftwareOf, other: SoftwareOf) -> list[Install]:
    """The list that was read later says what is installed. What only the earlier one had is kept
    as removed since."""
    later, earlier = (other, keep) if _is_later(other, keep) else (keep, other)
    found = {(each.title_id, each.version): each for each in later.installs}
    for old in earlier.installs:
        key = (old.title_id, old.version)
        new = found.get(key)
        if new is None:
            found[key] = old._replace(removed_at=old.removed_at or later.read_at)
        elif old.first_seen_at < new.first_seen_at:
            found[key] = new._replace(first_seen_at=old.first_seen_at)
    return list(found.values())


def part(
    present: Iterable[Install], own: Iterable[Install], others: Iterable[Install]
) -> list[Install]:
    """Of a list that was read after a merge, without what only the other asset had once."""
    mine = {(each.title_id, each.version) for each in own}
    not_mine = {(each.title_id, each.version) for each in others} - mine
    return [
        each
        for each in present
        if each.removed_at is None or (each.title_id, each.version) not in not_mine
    ]


def load_installs_of(session: Session, asset_id: int) -> list[Install]:
    columns = [getattr(AssetSoftware, name) for name in Install._fields]
    found = select(*columns).where(AssetSoftware.asset_id == asset_id).order_by(AssetSoftware.id)
    return [Install(*row) for row in session.execute(found)]


def replace_installs_of(session: Session, asset_id: int, installs: Iterable[Install]) -> None:
    """The asset has these and no others. Titles that the catalogue lost are left out."""
    wanted = list(installs)
    session.execute(delete(AssetSoftware).where(AssetSoftware.asset_id == asset_id))
    title_ids = {each.title_id for each in wanted}
    known = set(session.scalars(select(SoftwareTitle.id).where(SoftwareTitle.id.in_(title_ids))))
    rows = [each for each in wanted if each.title_id in known]
    add_rows(session, AssetSoftware, {"asset_id": asset_id}, Install._fields, rows)


def installs_to_json(installs: Iterable[Install]) -> list[dict[str, Any]]:
    return [{name: to_json(value) for name, value in each._asdict().items()} for each in installs]


def installs_from_json(rows: Iterable[dict[str, Any]]) -> list[Install]:
    return [Install(**row_from_json(AssetSoftware, row)) for row in rows]


def _is_later(one: SoftwareOf, other: SoftwareOf) -> bool:
    if one.read_at is None or other.read_at is None:
        return one.read_at is not None
    return one.read_at > other.read_at
