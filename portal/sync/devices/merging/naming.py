"""Rules and maintenance windows that name assets: they follow one that becomes part of another."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import AlertRule, MaintenanceWindow

Named = dict[str, dict[str, list[int]]]
"""`rules` and `windows`: ids, and the assets that each named before."""


def follow_asset(session: Session, other_id: int, keep_id: int) -> Named:
    """What names the one names the other from now on."""
    named: Named = {}
    for what, row, column in _list_rows(session):
        assets = getattr(row, column).get("assets", [])
        if other_id in assets:
            named.setdefault(what, {})[str(row.id)] = assets
            _name(row, column, [keep_id if each == other_id else each for each in assets])
    session.flush()
    return named


def restore_named(session: Session, other_id: int, keep_id: int, named: Named) -> None:
    """The one is named again, and the other where it was before too. What a person has taken out
    since stays out."""
    for what, row, column in _list_rows(session):
        before = named.get(what, {}).get(str(row.id), [])
        assets = getattr(row, column).get("assets", [])
        if other_id in before and keep_id in assets:
            kept = [each for each in assets if each != keep_id or keep_id in before]
            _name(row, column, [*kept, other_id])
    session.flush()


def _list_rows(session: Session) -> list[tuple[str, Any, str]]:
    """Held, so that nobody edits them meanwhile; of windows those that are not over."""
    ahead = or_(MaintenanceWindow.over_at.is_(None), MaintenanceWindow.over_at > utc_now())
    rules = select(AlertRule).order_by(AlertRule.id)
    windows = select(MaintenanceWindow).where(ahead).order_by(MaintenanceWindow.id)
    rows: list[tuple[str, Any, str]] = []
    for what, query, column in (("rules", rules, "conditions"), ("windows", windows, "scope")):
        held = query.with_for_update().execution_options(populate_existing=True)
        rows += [(what, row, column) for row in session.scalars(held)]
    return rows


def _name(row: Any, column: str, assets: list[int]) -> None:
    setattr(row, column, {**getattr(row, column), "assets": list(dict.fromkeys(assets))})
