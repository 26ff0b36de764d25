"""The history of an asset, as its page shows it, and its pruning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.clock import utc_now
from portal.db import db
from portal.models import AssetChange, SyncRun, User
from portal.models.assets.change import ChangeAction
from portal.services.clients import list_client_names
from portal.services.lists.paging import Page, paginate
from portal.services.lists.pruning import delete_in_parts

KEPT_DAYS = 400
PRUNED_AT_ONCE = 5000
CLIENT = "client_id"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """`before` and `after` as people read them: a client by its name."""

    column: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """What one cause did to the asset at one moment."""

    at: datetime
    actions: list[ChangeAction]
    cause: str
    run: SyncRun | None
    """None too when it is too old to be kept."""
    user: User | None
    fields: list[FieldChange]
    others: list[str]
    """Names of assets that it was merged with, or parted from."""


@dataclass(frozen=True, slots=True)
class History:
    """`page` counts changes of single columns; `entries` are those of the page, together."""

    page: Page[AssetChange]
    entries: list[Entry]


def read_history(asset_id: int, page: int = 1) -> History:
    """The newest first."""
    of_asset = AssetChange.asset_id == asset_id
    changes = paginate(
        select(AssetChange)
        .where(of_asset)
        .options(joinedload(AssetChange.user))
        .order_by(AssetChange.id.desc()),
        select(func.count()).select_from(AssetChange).where(of_asset),
        page,
        lambda row: row[0],
    )
    runs = _load_runs(changes.items)
    moves = [change for change in changes.items if change.column == CLIENT]
    names = list_client_names(value for move in moves for value in (move.before, move.after))
    together = groupby(changes.items, lambda each: (each.at, each.cause, each.run_id, each.user_id))
    entries = [_make_entry(list(each), runs, names) for _key, each in together]
    return History(changes, entries)


def prune_history() -> int:
    """Delete what is older than it is kept; how many changes."""
    before = utc_now() - timedelta(days=KEPT_DAYS)
    # Ids follow time, so that the oldest are found without an index of moments.
    oldest = select(AssetChange.id, AssetChange.at).order_by(AssetChange.id).limit(PRUNED_AT_ONCE)
    return delete_in_parts(
        AssetChange, lambda: [row.id for row in db.session.execute(oldest) if row.at < before]
    )


def _load_runs(changes: Iterable[AssetChange]) -> dict[int, SyncRun]:
    ids = {change.run_id for change in changes if change.run_id is not None}
    if not ids:
        return {}
    return {run.id: run for run in db.session.scalars(select(SyncRun).where(SyncRun.id.in_(ids)))}


def _make_entry(
    changes: Sequence[AssetChange], runs: dict[int, SyncRun], names: dict[int, str]
) -> Entry:
    first = changes[0]
    in_order = sorted(changes, key=lambda change: change.id)
    return Entry(
        at=first.at,
        actions=list(dict.fromkeys(change.action for change in in_order)),
        cause=first.cause,
        run=runs.get(first.run_id or 0),
        user=first.user,
        fields=[_make_field(change, names) for change in in_order if change.column],
        others=[
            change.before["name"]
            for change in in_order
            if not change.column and isinstance(change.before, dict) and "name" in change.before
        ],
    )


def _make_field(change: AssetChange, names: dict[int, str]) -> FieldChange:
    if change.column != CLIENT:
        return FieldChange(change.column, change.before, change.after)
    before, after = (
        names.get(value, "a deleted client") for value in (change.before, change.after)
    )
    return FieldChange("client", before, after)
