"""Assets, their software and their history, as the API gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlakeyset import unserialize_bookmark
from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from portal.db import db
from portal.models import (
    Asset,
    AssetChange,
    AssetSoftware,
    OrganizationMapping,
    SoftwareTitle,
)
from portal.services.api.paging import Items, Part, read_part
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.listing import AssetFilter, asset_conditions, get_asset
from portal.services.export import Row as Record
from portal.services.export import query_assets, query_software, to_asset_rows, to_software_row
from portal.services.plain import plain
from portal.services.software.installs import (
    InstallFilter,
    choose_versions,
    has_version,
    list_titles_of,
    list_versions,
)

CLIENT = "client_id"
PLACE = (Asset.client_id, Asset.integration_id, Asset.rmm_organization_id)
INSTALL_IDS: dict[str, InstrumentedAttribute[Any]] = {
    "id": AssetSoftware.id,
    "asset_id": Asset.id,
    "title_id": AssetSoftware.title_id,
    "client_id": Asset.client_id,
    "product_id": SoftwareTitle.product_id,
}


@dataclass(frozen=True, slots=True)
class InstallsWanted:
    """`older_than` is for one title or one product. `removed` are those that are gone from their
    assets, `missing` those of assets that are gone from Tactical."""

    asset_id: int | None = None
    title_id: int | None = None
    product_id: int | None = None
    client_id: int | None = None
    version: str = ""
    older_than: str = ""
    removed: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class HistoryWanted:
    """`client_id`: of the assets that it has now. `after_id`: only what was noted after that."""

    asset_id: int | None = None
    client_id: int | None = None
    run_id: int | None = None
    after_id: int = 0


def list_assets(shown: AssetFilter, part: Part) -> Items:
    """In the order in which they came into the portal."""
    stale_before = get_stale_before()
    query = (
        query_assets()
        .add_columns(*PLACE)
        .where(*asset_conditions(shown, stale_before))
        .order_by(Asset.id)
    )
    return read_part(query, part, lambda rows: _to_records(rows, stale_before))


def read_asset(asset_id: int) -> Record:
    """Raises NotFound; of one that was merged, AssetMerged."""
    found = get_asset(asset_id)
    query = query_assets().add_columns(*PLACE).where(Asset.id == found.id)
    return _to_records(db.session.execute(query).all(), get_stale_before())[0]


def list_installs(wanted: InstallsWanted, part: Part) -> Items:
    """Asset by asset; without a filter, all that is installed on assets that are not missing."""
    query = (
        query_software(*INSTALL_IDS.values())
        .where(*_install_conditions(wanted), *_from_asset_on(part))
        .order_by(Asset.id, AssetSoftware.title_id, AssetSoftware.version)
    )
    return read_part(query, part, lambda rows: [_to_install(row) for row in rows])


def list_history(wanted: HistoryWanted, part: Part) -> Items:
    """What became of assets, the newest first."""
    equals = ((AssetChange.asset_id, wanted.asset_id), (AssetChange.run_id, wanted.run_id))
    conditions = [column == value for column, value in equals if value is not None]
    if wanted.after_id:
        conditions.append(AssetChange.id > wanted.after_id)
    if wanted.client_id is not None:
        own = select(Asset.id).where(Asset.client_id == wanted.client_id)
        conditions.append(AssetChange.asset_id.in_(own))
    query = (
        select(AssetChange)
        .where(*conditions)
        .options(joinedload(AssetChange.user))
        .order_by(AssetChange.id.desc())
    )
    return read_part(query, part, lambda rows: [_to_change(row[0]) for row in rows])


def _to_records(found: Sequence[Row[Any]], stale_before: datetime) -> list[Record]:
    """Of rows of `query_assets` with `PLACE` behind."""
    places = [row[-len(PLACE) :] for row in found]
    organizations = _find_organizations({place[-1] for place in places})
    return [
        {
            "id": row["asset_id"],
            "client_id": str(client_id),
            "organization_id": organizations.get((integration_id, number)),
            **row,
        }
        for (client_id, integration_id, number), row in zip(
            places, to_asset_rows(found, stale_before), strict=True
        )
    ]


def _find_organizations(wanted: set[str]) -> dict[tuple[int, str], str]:
    """Their numbers in the portal, by integration and number at Tactical."""
    table = OrganizationMapping
    rows = db.session.execute(
        select(table.id, table.integration_id, table.external_organization_id).where(
            table.external_organization_id.in_(wanted)
        )
    )
    return {(row[1], row[2]): str(row[0]) for row in rows}


def _install_conditions(wanted: InstallsWanted) -> list[ColumnElement[bool]]:
    removed_at, missing_since = AssetSoftware.removed_at, Asset.missing_since
    conditions: list[ColumnElement[bool]] = [
        missing_since.is_not(None) if wanted.missing else missing_since.is_(None),
        removed_at.is_not(None) if wanted.removed else removed_at.is_(None),
    ]
    equals = (
        (Asset.id, wanted.asset_id),
        (AssetSoftware.title_id, wanted.title_id),
        (SoftwareTitle.product_id, wanted.product_id),
        (Asset.client_id, wanted.client_id),
        (AssetSoftware.version, wanted.version or None),
    )
    conditions += [column == value for column, value in equals if value is not None]
    if wanted.older_than:
        titles = _find_titles(wanted)
        shown = InstallFilter(titles, None, "", wanted.older_than, wanted.removed, wanted.missing)
        older = choose_versions(shown, list_versions(shown))
        conditions.append(has_version(titles, {each.version for each in older}))
    return conditions


def _find_titles(wanted: InstallsWanted) -> dict[int, str]:
    """Those that are compared, each with the version that its name tells."""
    if wanted.title_id is None:
        return list_titles_of(wanted.product_id or 0)
    named = select(SoftwareTitle.named_version).where(SoftwareTitle.id == wanted.title_id)
    return {wanted.title_id: db.session.scalar(named) or ""}


def _from_asset_on(part: Part) -> list[ColumnElement[bool]]:
    """Said of installs too: PostgreSQL would read all those of the assets before, for each part."""
    place = unserialize_bookmark(part.after).place if part.after else None
    return [AssetSoftware.asset_id >= place[0]] if place else []


def _to_install(row: Row[Any]) -> Record:
    ids = zip(INSTALL_IDS, row[-len(INSTALL_IDS) :], strict=True)
    return {name: value and str(value) for name, value in ids} | to_software_row(row)


def _to_change(change: AssetChange) -> Record:
    before, after = change.before, change.after
    if change.column == CLIENT:
        before, after = (None if value is None else str(value) for value in (before, after))
    return {
        "id": str(change.id),
        "asset_id": str(change.asset_id),
        "at": plain(change.at),
        "action": str(change.action),
        "column": change.column or None,
        "before": before,
        "after": after,
        "cause": change.cause,
        "run_id": None if change.run_id is None else str(change.run_id),
        "user": change.user.email if change.user else None,
    }
