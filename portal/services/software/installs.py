"""Which assets have a product, in which versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.client_guard import found_from
from portal.db import db
from portal.models import Asset, AssetSoftware, SoftwareTitle
from portal.scope import allowed_clients
from portal.services.lists.paging import Page, paginate_records
from portal.versions import is_known_version, is_older, version_key

NO_VERSION = "–"
"""In a filter: installs of which neither the agent nor the title tells a version."""


@dataclass(frozen=True, slots=True)
class InstallFilter:
    """What the page of a product shows; an empty field does not filter.

    `titles` are those that it has, each with the version that its name tells. `removed` are
    installs that are gone from their assets, `missing` those of assets that are gone from Tactical,
    which nothing else shows.
    """

    titles: Mapping[int, str]
    client_id: int | None = None
    version: str = ""
    older_than: str = ""
    removed: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class VersionCount:
    version: str
    assets: int

    @property
    def is_known(self) -> bool:
        return is_known_version(self.version)


def list_titles_of(product_id: int) -> dict[int, str]:
    """The titles of the product, each with the version that its name tells."""
    title = SoftwareTitle
    found = select(title.id, title.named_version).where(title.product_id == product_id)
    if allowed_clients() is not None:  # a few, each of which is soon found among their installs
        theirs = select(AssetSoftware.id).where(AssetSoftware.title_id == title.id).exists()
        found = found.where(theirs).execution_options(**found_from(AssetSoftware))
    return {row[0]: row[1] for row in db.session.execute(found.order_by(title.id))}


def list_versions(shown: InstallFilter) -> list[VersionCount]:
    """The versions that are installed, the newest first, whatever version the filter names."""
    row = AssetSoftware
    counted: Counter[str] = Counter()
    found = select(row.title_id, row.version, func.count()).where(*_of_titles(shown))
    for title_id, version, number in db.session.execute(found.group_by(row.title_id, row.version)):
        counted[version or shown.titles[title_id]] += number
    versions = [VersionCount(*each) for each in counted.items()]
    return sorted(
        versions, key=lambda each: (version_key(each.version), each.version), reverse=True
    )


def choose_versions(shown: InstallFilter, versions: list[VersionCount]) -> list[VersionCount]:
    """Those that the filter shows. A version that nobody can compare is never older."""
    if shown.version:
        wanted = "" if shown.version == NO_VERSION else shown.version
        versions = [each for each in versions if each.version == wanted]
    if shown.older_than:
        versions = [each for each in versions if is_older(each.version, shown.older_than)]
    return versions


def list_installs(
    shown: InstallFilter, chosen: list[VersionCount], page: int = 1
) -> Page[AssetSoftware]:
    """The assets that have, or had, one of the chosen versions, by name."""
    order = (Asset.name, AssetSoftware.version, AssetSoftware.id)
    return paginate_records(
        select(AssetSoftware)
        .join(AssetSoftware.title)
        .options(
            contains_eager(AssetSoftware.title),
            joinedload(AssetSoftware.asset).joinedload(Asset.client),
        )
        .execution_options(**found_from(AssetSoftware)),
        select(AssetSoftware.id)
        .join(AssetSoftware.asset)
        .where(*install_conditions(shown, chosen))
        .order_by(*order),
        sum(each.assets for each in chosen),
        page,
    )


def install_conditions(
    shown: InstallFilter, chosen: list[VersionCount]
) -> list[ColumnElement[bool]]:
    """The filter in SQL, for what lists and exports."""
    conditions = _of_titles(shown)
    if shown.version or shown.older_than:
        texts = {each.version for each in chosen}
        conditions.append(has_version(shown.titles, texts))
    return conditions


def has_version(titles: Mapping[int, str], texts: set[str]) -> ColumnElement[bool]:
    """In SQL: of an install of one of the titles, that its version is one of the texts."""
    row = AssetSoftware
    named = [title_id for title_id, version in titles.items() if version in texts]
    is_named = and_(row.version == "", row.title_id.in_(named))
    return or_(row.version.in_(sorted(texts - {""})), is_named)


def _of_titles(shown: InstallFilter) -> list[ColumnElement[bool]]:
    removed_at = AssetSoftware.removed_at
    missing = select(Asset.id).where(Asset.missing_since.is_not(None))
    conditions: list[ColumnElement[bool]] = [
        AssetSoftware.title_id.in_(list(shown.titles)),
        removed_at.is_not(None) if shown.removed else removed_at.is_(None),
        AssetSoftware.asset_id.in_(missing)
        if shown.missing
        else AssetSoftware.asset_id.not_in(missing),
    ]
    if shown.client_id is not None:
        own = select(Asset.id).where(Asset.client_id == shown.client_id)
        conditions.append(AssetSoftware.asset_id.in_(own))
    return conditions
