"""The software of one client: what nobody else has, and what is behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from portal.db import db
from portal.models import Asset, AssetSoftware, SoftwareTitle
from portal.scope import allowed_clients
from portal.services.lists.paging import Page, paginate
from portal.services.software.titles import TitleCounts
from portal.versions import is_known_version, is_older, version_key

LOOKED_AT = 200
"""Titles in several versions that are compared: those on most of the client's assets."""


@dataclass(frozen=True, slots=True)
class OwnTitle:
    """`asset_count`: assets of the client that have it."""

    id: int
    name: str
    publisher: str
    asset_count: int


@dataclass(frozen=True, slots=True)
class OldTitle:
    """`oldest` is the oldest version that the client has, `behind` how many of its assets have one
    that is older than the newest."""

    id: int
    name: str
    publisher: str
    newest: str
    oldest: str
    behind: int
    asset_count: int


def list_own_titles(client_id: int, page: int = 1) -> Page[OwnTitle]:
    """What assets of the client have, and none of any other client, the most frequent first."""
    counts = TitleCounts()
    own = _count_of(client_id)
    query = (
        counts.select(SoftwareTitle.id)
        .add_columns(own.c.assets)
        .join(own, own.c.title_id == SoftwareTitle.id)
        .where(counts.assets <= own.c.assets)
        .order_by(own.c.assets.desc(), SoftwareTitle.normalized_name, SoftwareTitle.id)
    )
    return paginate(
        query, None, page, lambda row: OwnTitle(row.id, row.name, row.publisher, row.assets)
    )


def list_old_titles(client_id: int) -> list[OldTitle]:
    """Titles of which assets of the client have a version that is behind the newest one that is
    installed anywhere; what most assets are behind with comes first."""
    own = _count_of(client_id)
    title = SoftwareTitle
    titles = db.session.execute(
        select(title.id, title.name, title.publisher, own.c.assets)
        .join(own, own.c.title_id == title.id)
        .where(title.version_count > 1)
        .order_by(own.c.assets.desc(), title.id)
        .limit(LOOKED_AT)
    ).all()
    ids = [row.id for row in titles]
    newest, here = _find_newest(ids), _list_versions_here(client_id, ids)
    found = [_compare(row, newest.get(row.id, ""), here[row.id]) for row in titles]
    old = [each for each in found if each is not None]
    return sorted(old, key=lambda each: (-each.behind, each.name.casefold(), each.id))


def _compare(row: Any, newest: str, here: Sequence[tuple[str, int]]) -> OldTitle | None:
    """None where the client has the newest, or nobody can tell."""
    older = [(version, assets) for version, assets in here if newest and is_older(version, newest)]
    if not older:
        return None
    oldest = min(older, key=lambda each: version_key(each[0]))[0]
    behind = sum(assets for _version, assets in older)
    return OldTitle(row.id, row.name, row.publisher, newest, oldest, behind, row.assets)


def _count_of(client_id: int) -> Any:
    """By title: on how many assets of the client it is installed."""
    return (
        select(
            AssetSoftware.title_id, func.count(AssetSoftware.asset_id.distinct()).label("assets")
        )
        .where(
            AssetSoftware.asset_id.in_(_assets_of(client_id)), AssetSoftware.removed_at.is_(None)
        )
        .group_by(AssetSoftware.title_id)
        .subquery()
    )


def _assets_of(client_id: int) -> Select[int]:
    return select(Asset.id).where(Asset.client_id == client_id, Asset.missing_since.is_(None))


def _list_versions_here(
    client_id: int, title_ids: Sequence[int]
) -> defaultdict[int, list[tuple[str, int]]]:
    row = AssetSoftware
    rows = db.session.execute(
        select(row.title_id, row.version, func.count())
        .where(
            row.asset_id.in_(_assets_of(client_id)),
            row.removed_at.is_(None),
            row.title_id.in_(title_ids),
        )
        .group_by(row.title_id, row.version)
    )
    found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for title_id, version, number in rows:
        found[title_id].append((version, number))
    return found


def _find_newest(title_ids: Sequence[int]) -> dict[int, str]:
    """The newest known version of each title that anything has."""
    newest: dict[int, str] = {}
    for title_id, version in _list_versions(title_ids):
        known = newest.get(title_id)
        if is_known_version(version) and (known is None or is_older(known, version)):
            newest[title_id] = version
    return newest


def _list_versions(title_ids: Sequence[int]) -> Iterable[Any]:
    row = AssetSoftware
    if allowed_clients() is not None:  # of their assets alone, which are fewer
        some = select(row.title_id, row.version).where(row.title_id.in_(title_ids))
        return db.session.execute(some.where(row.removed_at.is_(None)).distinct())
    return db.session.execute(_walk_versions(title_ids))


def _walk_versions(title_ids: Sequence[int]) -> Select[Any]:
    """From one version to the next in the index, instead of through all installs of it: a title
    may be on ten thousand assets."""
    row, title = AssetSoftware, SoftwareTitle
    first = (
        select(func.min(row.version))
        .where(row.title_id == title.id, row.removed_at.is_(None))
        .correlate(title)
        .scalar_subquery()
    )
    walk = select(title.id.label("title_id"), first.label("version")).where(title.id.in_(title_ids))
    steps = walk.cte("versions", recursive=True)
    following = (
        select(func.min(row.version))
        .where(
            row.title_id == steps.c.title_id,
            row.removed_at.is_(None),
            row.version > steps.c.version,
        )
        .correlate(steps)
        .scalar_subquery()
    )
    more = select(steps.c.title_id, following).where(steps.c.version.is_not(None))
    steps = steps.union_all(more)
    return select(steps.c.title_id, steps.c.version).where(steps.c.version.is_not(None))
