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
from portal.models import Asset, AssetChange, AssetSoftware, OrganizationMapping
from portal.services.api.paging import Items, Part, read_part
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.listing import AssetFilter, asset_conditions, get_asset
from portal.services.export import Row as Record
from portal.services.export import plain, query_software, to_asset_rows, to_software_row
from portal.services.software.installs import (
    InstallFilter,
    choose_versions,
    list_versions,
)

CLIENT = "client_id"
INSTALL_IDS: dict[str, InstrumentedAttribute[Any]] = {
    "id": AssetSoftware.id,
    "asset_id": Asset.id,
    "title_id": AssetSoftware.title_id,
    "client_id": Asset.client_id,
}


@dataclass(frozen=True, slots=True)
class InstallsWanted:
    """`older_than` is for one title. `gone`: those that are no longer installed."""

    asset_id: int | None = None
    title_id: int | None = None
    client_id: int | None = None
    version: str = ""
    older_than: str = ""
    gone: bool = False


def list_assets(shown: AssetFilter, part: Part) -> Items:
    """In the order in which they came into the portal."""
    stale_before = get_stale_before()
    query = (
        select(Asset)
        .where(*asset_conditions(shown, stale_before))
        .options(joinedload(Asset.client))
        .order_by(Asset.id)
    )
    return read_part(query, part, lambda rows: _to_records([row[0] for row in rows], stale_before))


def read_asset(asset_id: int) -> Record:
    """Raises NotFound; of one that was merged, AssetMerged."""
    return _to_records([get_asset(asset_id)], get_stale_before())[0]


def list_installs(wanted: InstallsWanted, part: Part) -> Items:
    """Asset by asset; without a filter, all that is installed on assets that are not missing."""
    query = (
        query_software(*INSTALL_IDS.values())
        .where(*_install_conditions(wanted), *_from_asset_on(part))
        .order_by(Asset.id, AssetSoftware.title_id, AssetSoftware.version)
    )
    return read_part(query, part, lambda rows: [_to_install(row) for row in rows])


def list_history(asset_id: int | None, run_id: int | None, after_id: int, part: Part) -> Items:
    """What became of assets, the newest first; `after_id`: only what was noted after that."""
    conditions: list[ColumnElement[bool]] = [AssetChange.id > after_id] if after_id else []
    equals = ((AssetChange.asset_id, asset_id), (AssetChange.run_id, run_id))
    conditions += [column == value for column, value in equals if value is not None]
    query = (
        select(AssetChange)
        .where(*conditions)
        .options(joinedload(AssetChange.user))
        .order_by(AssetChange.id.desc())
    )
    return read_part(query, part, lambda rows: [_to_change(row[0]) for row in rows])


def _to_records(assets: Sequence[Asset], stale_before: datetime) -> list[Record]:
    places = _find_organizations(assets)
    return [
        {
            "id": row["asset_id"],
            "client_id": str(asset.client_id),
            "organization_id": places.get((asset.integration_id, asset.rmm_organization_id)),
            **row,
        }
        for asset, row in zip(assets, to_asset_rows(assets, stale_before), strict=True)
    ]


def _find_organizations(assets: Sequence[Asset]) -> dict[tuple[int, str], str]:
    """Their numbers in the portal, by integration and number at Tactical."""
    table = OrganizationMapping
    wanted = {asset.rmm_organization_id for asset in assets}
    rows = db.session.execute(
        select(table.id, table.integration_id, table.external_organization_id).where(
            table.external_organization_id.in_(wanted)
        )
    )
    return {(row[1], row[2]): str(row[0]) for row in rows}


def _install_conditions(wanted: InstallsWanted) -> list[ColumnElement[bool]]:
    removed_at = AssetSoftware.removed_at
    conditions: list[ColumnElement[bool]] = [
        Asset.missing_since.is_(None),
        removed_at.is_not(None) if wanted.gone else removed_at.is_(None),
    ]
    equals = (
        (Asset.id, wanted.asset_id),
        (AssetSoftware.title_id, wanted.title_id),
        (Asset.client_id, wanted.client_id),
        (AssetSoftware.version, wanted.version or None),
    )
    conditions += [column == value for column, value in equals if value is not None]
    if wanted.older_than and wanted.title_id is not None:
        shown = InstallFilter(wanted.title_id, older_than=wanted.older_than, removed=wanted.gone)
        older = choose_versions(shown, list_versions(shown))
        conditions.append(AssetSoftware.version.in_([each.version for each in older]))
    return conditions


def _from_asset_on(part: Part) -> list[ColumnElement[bool]]:
    """Said of installs too: PostgreSQL would read all those of the assets before, for each part."""
    place = unserialize_bookmark(part.after).place if part.after else None
    return [AssetSoftware.asset_id >= place[0]] if place else []


def _to_install(row: Row[Any]) -> Record:
    ids = zip(INSTALL_IDS, row[-len(INSTALL_IDS) :], strict=True)
    return {name: str(value) for name, value in ids} | to_software_row(row)


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
