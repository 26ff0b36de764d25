"""What matches the watches of software: looked at whenever installs have changed.

What matches is kept, and an event tells of each asset that begins or ceases to. What one look
misses, because a process died, the next one finds: it compares what is with what was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session, joinedload

from portal.clock import iso_utc, utc_now
from portal.db import is_among, put_rows
from portal.events.outbox import Happening, record_events
from portal.models import Asset, AssetSoftware, SoftwareMatch, SoftwareTitle, SoftwareWatch
from portal.models.events.event import EventType
from portal.scope import beyond_clients
from portal.sync.software.products import is_present
from portal.versions import is_older, version_key


class Install(NamedTuple):
    """Of a product, on an asset that Tactical lists."""

    product_id: int | None
    asset_id: int
    client_id: int
    version: str


@dataclass(frozen=True, slots=True)
class Matching:
    """An asset, and the oldest version with which it matches."""

    watch_id: int
    asset_id: int
    version: str


class Kept(NamedTuple):
    """A match that was told of."""

    id: int
    watch_id: int
    asset_id: int
    version: str
    since: datetime


@dataclass(frozen=True, slots=True)
class MatchPlan:
    begun: Sequence[Matching]
    changed: Sequence[Matching]
    """Those that match in another version than before."""
    ended: Sequence[Kept]


def plan_matches(
    watches: Sequence[SoftwareWatch], installs: Sequence[Install], kept: Sequence[Kept]
) -> MatchPlan:
    """Nothing matches a watch that is switched off."""
    of_product: defaultdict[int | None, list[Install]] = defaultdict(list)
    for install in installs:
        of_product[install.product_id].append(install)
    found: dict[tuple[int, int], Matching] = {}
    for watch in watches:
        for install in of_product[watch.product_id] if watch.active else ():
            if not _matches(watch, install):
                continue
            key = (watch.id, install.asset_id)
            known = found.get(key)
            if known is None or version_key(install.version) < version_key(known.version):
                found[key] = Matching(watch.id, install.asset_id, install.version)
    told = {(each.watch_id, each.asset_id): each for each in kept}
    return MatchPlan(
        begun=[each for key, each in found.items() if key not in told],
        changed=[
            each for key, each in found.items() if key in told and told[key].version != each.version
        ],
        ended=[each for key, each in told.items() if key not in found],
    )


def look_at_watches(session: Session, product_ids: Collection[int] | None = None) -> None:
    """Those of the products, or all: compare what matches with what was told, and tell the
    difference. In a fixed number of statements."""
    with beyond_clients():
        watches = _lock_watches(session, product_ids)
        if not watches:
            return
        kept = _list_kept(session, [watch.id for watch in watches])
        plan = plan_matches(watches, _list_installs(session, watches), kept)
        _write(session, plan, {watch.id: watch for watch in watches})


def _matches(watch: SoftwareWatch, install: Install) -> bool:
    if watch.client_id is not None and install.client_id != watch.client_id:
        return False
    return not watch.older_than or is_older(install.version, watch.older_than)


def _lock_watches(session: Session, product_ids: Collection[int] | None) -> Sequence[SoftwareWatch]:
    """So that only one process looks at each, in order."""
    found = select(SoftwareWatch).options(joinedload(SoftwareWatch.product))
    if product_ids is not None:
        found = found.where(is_among(SoftwareWatch.product_id, sorted(product_ids)))
    locked = found.order_by(SoftwareWatch.id).with_for_update(of=SoftwareWatch, key_share=True)
    return session.scalars(locked.execution_options(populate_existing=True)).all()


def _list_kept(session: Session, watch_ids: Sequence[int]) -> list[Kept]:
    columns = [getattr(SoftwareMatch, name) for name in Kept._fields]
    found = select(*columns).where(SoftwareMatch.watch_id.in_(watch_ids))
    return [Kept(*row) for row in session.execute(found)]


def _list_installs(session: Session, watches: Sequence[SoftwareWatch]) -> list[Install]:
    """Of the products that are watched; where only old versions are, these alone."""
    row, title = AssetSoftware, SoftwareTitle
    active = [watch for watch in watches if watch.active]
    products = {watch.product_id for watch in active}
    of_products = and_(row.title_id == title.id, title.product_id.in_(sorted(products)))
    by = (title.product_id, row.version, title.named_version)
    versions = session.execute(
        select(*by).where(of_products, row.removed_at.is_(None)).distinct()
    ).all()
    wanted: defaultdict[int | None, set[tuple[str, str]]] = defaultdict(set)
    for watch in active:
        for product_id, version, named in versions:
            is_its = product_id == watch.product_id
            if is_its and (not watch.older_than or is_older(version or named, watch.older_than)):
                wanted[product_id].add((version, named))
    if not wanted:
        return []
    chosen = [
        and_(
            title.product_id == product_id,
            or_(
                row.version.in_({version for version, _ in pairs if version}),
                and_(row.version == "", title.named_version.in_({n for v, n in pairs if not v})),
            ),
        )
        for product_id, pairs in wanted.items()
    ]
    found = session.execute(
        select(title.product_id, Asset.id, Asset.client_id, row.version, title.named_version)
        .join(row, row.title_id == title.id)
        .join(Asset, Asset.id == row.asset_id)
        .where(or_(*chosen), *is_present())
    )
    return [Install(each[0], each[1], each[2], each[3] or each[4]) for each in found]


def _write(session: Session, plan: MatchPlan, watches: Mapping[int, SoftwareWatch]) -> None:
    now = utc_now()
    columns, unique = ("watch_id", "asset_id", "version"), ("watch_id", "asset_id")
    rows = [(e.watch_id, e.asset_id, e.version) for e in (*plan.begun, *plan.changed)]
    put_rows(session, SoftwareMatch, {"since": now}, columns, rows, unique)
    gone = [each.id for each in plan.ended]
    if gone:
        session.execute(
            delete(SoftwareMatch)
            .where(is_among(SoftwareMatch.id, gone))
            .execution_options(synchronize_session=False)
        )
    ids = {each.asset_id for each in plan.begun} | {each.asset_id for each in plan.ended}
    assets = _find_assets(session, ids)
    news = [
        _tell(EventType.WATCH_MATCHED, watches[each.watch_id], assets[each.asset_id], each, now)
        for each in plan.begun
    ]
    news += [
        _tell(EventType.WATCH_CLEARED, watches[e.watch_id], assets[e.asset_id], e, e.since)
        for e in plan.ended
    ]
    record_events(session, news)


def _find_assets(session: Session, asset_ids: Collection[int]) -> dict[int, Any]:
    if not asset_ids:
        return {}
    found = select(Asset.id, Asset.client_id, Asset.rmm_device_id, Asset.name)
    rows = session.execute(found.where(is_among(Asset.id, sorted(asset_ids))))
    return {row.id: row for row in rows}


def _tell(
    kind: EventType, watch: SoftwareWatch, asset: Any, match: Matching | Kept, since: datetime
) -> Happening:
    payload = {
        "watch_id": watch.id,
        "product_id": watch.product_id,
        "product": watch.product.name,
        "publisher": watch.product.publisher,
        "older_than": watch.older_than or None,
        "asset_id": asset.id,
        "client_id": asset.client_id,
        "rmm_device_id": asset.rmm_device_id,
        "name": asset.name,
        "version": match.version or None,
        "since": iso_utc(since),
    }
    return kind, asset.name, payload
