"""Which assets have a title, in which versions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.models import Asset, AssetSoftware
from portal.services.lists.paging import Page, paginate_records
from portal.versions import is_known_version, is_older, version_key

NO_VERSION = "–"
"""In a filter: installs whose agent reports no version."""


@dataclass(frozen=True, slots=True)
class InstallFilter:
    """What the page of a title shows; an empty field does not filter.

    `removed` are installs that are gone from their assets, `missing` those of assets that are gone
    from Tactical, which nothing else shows.
    """

    title_id: int
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


def list_versions(shown: InstallFilter) -> list[VersionCount]:
    """The versions of the title, the newest first, whatever version the filter names."""
    rows = db.session.execute(
        select(AssetSoftware.version, func.count())
        .where(*_of_title(shown))
        .group_by(AssetSoftware.version)
    )
    found = [VersionCount(*row) for row in rows]
    return sorted(found, key=lambda each: (version_key(each.version), each.version), reverse=True)


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
        select(AssetSoftware).options(joinedload(AssetSoftware.asset).joinedload(Asset.client)),
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
    conditions = _of_title(shown)
    if shown.version or shown.older_than:
        conditions.append(AssetSoftware.version.in_([each.version for each in chosen]))
    return conditions


def _of_title(shown: InstallFilter) -> list[ColumnElement[bool]]:
    removed_at = AssetSoftware.removed_at
    missing = select(Asset.id).where(Asset.missing_since.is_not(None))
    conditions: list[ColumnElement[bool]] = [
        AssetSoftware.title_id == shown.title_id,
        removed_at.is_not(None) if shown.removed else removed_at.is_(None),
        AssetSoftware.asset_id.in_(missing)
        if shown.missing
        else AssetSoftware.asset_id.not_in(missing),
    ]
    if shown.client_id is not None:
        own = select(Asset.id).where(Asset.client_id == shown.client_id)
        conditions.append(AssetSoftware.asset_id.in_(own))
    return conditions
