"""The assets before and after one, in a list with its filter and its order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from portal.db import db
from portal.models import Asset
from portal.services.assets.listing import AssetFilter, asset_conditions
from portal.services.assets.ordering import order_assets, sides_of


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`previous` and `next` are ids. `place`: how manieth the asset is, from 1; None where the list
    does not show it any more."""

    previous: int | None
    next: int | None
    place: int | None
    total: int


def find_neighbours(asset: Asset, shown: AssetFilter, stale_before: datetime) -> Neighbours:
    """In one statement. Also of an asset that the list has stopped to show: those between which it
    would stand."""
    conditions, sides = asset_conditions(shown, stale_before), sides_of(asset, shown.sort)
    ids = _join(select(Asset.id), shown.sort).where(*conditions).limit(1).correlate(None)
    last_before = ids.where(sides.before).order_by(*order_assets(shown.sort, backwards=True))
    first_after = ids.where(sides.after).order_by(*order_assets(shown.sort))
    found = select(
        func.count(),
        func.count().filter(sides.before),
        func.count().filter(Asset.id == asset.id),
        last_before.scalar_subquery(),
        first_after.scalar_subquery(),
    ).select_from(Asset)
    row = db.session.execute(_join(found, shown.sort).where(*conditions)).one()
    total, passed, is_there, previous, following = row
    return Neighbours(previous, following, passed + 1 if is_there else None, total)


def _join(query: Select[Any], sort: str) -> Select[Any]:
    """With clients where the order asks for them: each one is looked up."""
    return query.join(Asset.client) if sort.lstrip("-") == "client" else query
