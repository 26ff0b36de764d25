"""Watches of software: each with how much matches it now, and which assets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload

from portal.clock import iso_utc
from portal.db import db
from portal.errors import NotFound
from portal.models import Asset, SoftwareMatch, SoftwareProduct, SoftwareWatch
from portal.services.lists.paging import Page, paginate_records


@dataclass(frozen=True, slots=True)
class WatchView:
    """`matches`: assets that match, of those that whoever asks may see; `since`: the first one."""

    row: SoftwareWatch
    matches: int
    since: datetime | None

    @property
    def question(self) -> str:
        return describe_watch(self.row)


def list_watches() -> list[WatchView]:
    """What matches most comes first, and what is switched off last."""
    views = view_watches(db.session.scalars(select_watches()).all())
    return sorted(views, key=lambda view: (not view.row.active, -view.matches, view.row.id))


def get_watch(watch_id: int) -> SoftwareWatch:
    """Raises NotFound."""
    watch = db.session.scalar(select_watches().where(SoftwareWatch.id == watch_id))
    if watch is None:
        raise NotFound("This watch does not exist. Choose one from the list of watches.")
    return watch


def select_watches() -> Select[SoftwareWatch]:
    """With their products and clients, in the order in which they were added."""
    names = (joinedload(SoftwareWatch.product), joinedload(SoftwareWatch.client))
    return select(SoftwareWatch).options(*names).order_by(SoftwareWatch.id)


def view_watches(watches: Sequence[SoftwareWatch]) -> list[WatchView]:
    match = SoftwareMatch
    counted = db.session.execute(
        select(match.watch_id, func.count(), func.min(match.since))
        .where(match.watch_id.in_([watch.id for watch in watches]))
        .group_by(match.watch_id)
    )
    numbers = {row[0]: (row[1], row[2]) for row in counted}
    return [WatchView(watch, *numbers.get(watch.id, (0, None))) for watch in watches]


def list_matches(watch: WatchView, page: int = 1) -> Page[SoftwareMatch]:
    """The assets that match now, by name."""
    match = SoftwareMatch
    return paginate_records(
        select(match).options(joinedload(match.asset).joinedload(Asset.client)),
        select(match.id)
        .join(match.asset)
        .where(match.watch_id == watch.row.id)
        .order_by(Asset.name, match.id),
        watch.matches,
        page,
    )


def matching_watches() -> ColumnElement[int]:
    """In SQL: how many watches anything matches."""
    match = SoftwareMatch
    return select(func.count(match.watch_id.distinct())).scalar_subquery()


def first_match_at() -> ColumnElement[datetime]:
    """In SQL: since when."""
    return select(func.min(SoftwareMatch.since)).scalar_subquery()


def first_matched() -> ColumnElement[str]:
    """In SQL: the product of the watch that matched first of those that match now."""
    first = select(SoftwareProduct.name).join(
        SoftwareWatch, SoftwareWatch.product_id == SoftwareProduct.id
    )
    its = first.join(SoftwareMatch, SoftwareMatch.watch_id == SoftwareWatch.id)
    return its.order_by(SoftwareMatch.since, SoftwareMatch.id).limit(1).scalar_subquery()


def describe_watch(watch: SoftwareWatch) -> str:
    """What it asks, without whose assets."""
    if watch.older_than:
        return f"{watch.product.name} older than {watch.older_than}"
    return f"{watch.product.name} in any version"


def to_record(view: WatchView) -> dict[str, Any]:
    """As programs read it."""
    watch = view.row
    return {
        "id": str(watch.id),
        "product_id": str(watch.product_id),
        "product": watch.product.name,
        "publisher": watch.product.publisher,
        "older_than": watch.older_than or None,
        "client_id": None if watch.client_id is None else str(watch.client_id),
        "client": watch.client.name if watch.client else None,
        "active": watch.active,
        "matches": view.matches,
        "since": None if view.since is None else iso_utc(view.since),
        "created_at": iso_utc(watch.created_at),
    }
