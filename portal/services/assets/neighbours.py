"""The assets before and after one, in a list with its filter and its order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal, select, union_all

from portal.db import db
from portal.models import Asset
from portal.services.assets.listing import AssetFilter, asset_conditions
from portal.services.assets.ordering import order_assets, sides_of

PREVIOUS, NEXT = "previous", "next"


@dataclass(frozen=True, slots=True)
class Neighbour:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`place`: how manieth the asset is, from 1; None where the list does not show it any more."""

    previous: Neighbour | None
    next: Neighbour | None
    place: int | None
    total: int


def find_neighbours(asset: Asset, shown: AssetFilter, stale_before: datetime) -> Neighbours:
    """Also of an asset that the list has stopped to show: those between which it would stand."""
    conditions, sides = asset_conditions(shown, stale_before), sides_of(asset, shown.sort)
    rows = select(Asset.id, Asset.name).join(Asset.client).where(*conditions).limit(1)
    last_before = rows.where(sides.before).order_by(*order_assets(shown.sort, backwards=True))
    first_after = rows.where(sides.after).order_by(*order_assets(shown.sort))
    both = union_all(_label(PREVIOUS, last_before), _label(NEXT, first_after))
    found = {side: Neighbour(id_, name) for side, id_, name in db.session.execute(both)}
    before, itself = func.count().filter(sides.before), func.count().filter(Asset.id == asset.id)
    counts = select(func.count(), before, itself).select_from(Asset).join(Asset.client)
    total, passed, is_there = db.session.execute(counts.where(*conditions)).one()
    place = passed + 1 if is_there else None
    return Neighbours(found.get(PREVIOUS), found.get(NEXT), place, total)


def _label(side: str, one: Select[int, str]) -> Select[str, int, str]:
    found = one.subquery()
    return select(literal(side), found.c.id, found.c.name)
