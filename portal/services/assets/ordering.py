"""The order of a list of assets, and what stands before and after one of them in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, false, literal, or_
from sqlalchemy.orm import InstrumentedAttribute

from portal.clock import utc_now
from portal.models import Asset, Client
from portal.models.assets.asset import KNOWN_FOR

SORTABLE: dict[str, InstrumentedAttribute[Any]] = {
    "name": Asset.name,
    "client": Client.name_key,
    "site": Asset.site_name,
    "type": Asset.asset_type,
    "os": Asset.os_version,
    "user": Asset.current_user,
    "last_seen": Asset.last_seen_at,
}
STATUS = "status"
"""Sorts too: the word that an old one is shown as, `unknown`, is the last of all."""


def order_assets(sort: str, *, backwards: bool = False) -> tuple[Any, ...]:
    """By a word of SORTABLE, or STATUS; with a `-` downwards. What is not known comes last.

    `backwards`: the same list from its end.
    """
    parts = (*_columns(sort), Asset.id)
    in_turn = [part.desc() if sort.startswith("-") != backwards else part.asc() for part in parts]
    return tuple(part.nulls_first() if backwards else part.nulls_last() for part in in_turn)


@dataclass(frozen=True, slots=True)
class Sides:
    """Of one asset in the order of `order_assets`, as conditions."""

    before: ColumnElement[bool]
    after: ColumnElement[bool]


def sides_of(asset: Asset, sort: str) -> Sides:
    """The asset with its client, as they were read; it need not be in the list."""
    before: list[ColumnElement[bool]] = []
    after: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    is_down = sort.startswith("-")
    for column, value in zip((*_columns(sort), Asset.id), _values(asset, sort), strict=True):
        before.append(and_(*equal, _is_before(column, value, is_down)))
        after.append(and_(*equal, _is_after(column, value, is_down)))
        equal.append(column.is_(None) if value is None else column == _bind(column, value))
    return Sides(or_(*before), or_(*after))


def is_known() -> ColumnElement[bool]:
    """Whether somebody has looked at the status lately: `Asset.shown_status` in SQL."""
    return Asset.status_at >= utc_now() - KNOWN_FOR


def _columns(sort: str) -> tuple[Any, ...]:
    """The id comes behind them, so that pages neither repeat nor miss a row among equals."""
    word = sort.lstrip("-")
    if word == STATUS:
        return ~is_known(), Asset.agent_status
    return (SORTABLE.get(word, Asset.name),)


def _values(asset: Asset, sort: str) -> tuple[Any, ...]:
    if sort.lstrip("-") == STATUS:
        is_old = asset.status_at < utc_now() - KNOWN_FOR
        return is_old, asset.agent_status, asset.id
    [column] = _columns(sort)
    holder = asset.client if column.class_ is Client else asset
    return getattr(holder, column.key), asset.id


def _is_before(column: Any, value: Any, is_down: bool) -> ColumnElement[bool]:
    bound = _bind(column, value)
    is_before: ColumnElement[bool] = column > bound if is_down else column < bound
    return column.is_not(None) if value is None else is_before


def _is_after(column: Any, value: Any, is_down: bool) -> ColumnElement[bool]:
    if value is None:
        return false()
    bound = _bind(column, value)
    return or_(column < bound if is_down else column > bound, column.is_(None))


def _bind(column: Any, value: Any) -> ColumnElement[Any]:
    """Truth is compared like a number: false comes first."""
    return literal(value, Boolean) if isinstance(value, bool) else literal(value, column.type)
