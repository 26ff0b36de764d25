"""Everything of a kind, as rows of plain values: for files and for other programs.

Ids are text, times are ISO 8601 in UTC, empty is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy import Row as Found
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from portal.clock import utc_now
from portal.db import db
from portal.models import (
    Asset,
    AssetSoftware,
    Client,
    Delivery,
    OrganizationMapping,
    SoftwareProduct,
    SoftwareTitle,
)
from portal.models.assets.asset import to_shown_status, to_uptime
from portal.services.assets.choosing import Chosen
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.words import OwnWords, find_own_words
from portal.services.deliveries.history import DeliveryFilter, delivery_conditions
from portal.services.organizations.choosing import Shown
from portal.services.plain import plain

Row = dict[str, Any]

ROWS_AT_ONCE = 1000

ASSET_COLUMNS = (
    "name",
    "asset_type",
    "client",
    "serial_number",
    "os_type",
    "os_version",
    "agent_version",
    "make_model",
    "cpu",
    "ram_gb",
    "current_user",
    "boot_time",
    "uptime_seconds",
    "lan_ip",
    "wan_ip",
    "description",
    "rmm_provider",
    "rmm_device_id",
    "rmm_organization_id",
    "site_id",
    "site_name",
    "agent_status",
    "status_as_of",
    "status_stale",
    "last_seen_at",
    "last_rmm_sync_at",
    "missing_since",
    "retired_at",
    "asset_id",
    "superseded_device_ids",
    "maintenance_mode",
    "tags",
    "note",
    "note_at",
)

ORGANIZATION_COLUMNS = (
    "external_organization_id",
    "external_organization_name",
    "client",
    "auto_sync_assets",
    "agent_count",
    "gone_since",
    "last_synced_at",
)

_RENAMED: dict[str, InstrumentedAttribute[Any]] = {
    "asset_id": Asset.id,
    "client": Client.name,
    "status_as_of": Asset.status_at,
}
_COMPUTED = {"superseded_device_ids", "tags", "status_stale", "uptime_seconds"}
_ASSET: dict[str, InstrumentedAttribute[Any]] = _RENAMED | {
    name: getattr(Asset, name) for name in ASSET_COLUMNS if name not in {*_RENAMED, *_COMPUTED}
}

DELIVERY_COLUMNS = ("id", "received_at", "status", "external_alert_id", "agent_id", "reason")

SOFTWARE: dict[str, InstrumentedAttribute[Any]] = {
    "asset": Asset.name,
    "rmm_device_id": Asset.rmm_device_id,
    "name": SoftwareTitle.name,
    "publisher": SoftwareTitle.publisher,
    "version": AssetSoftware.version,
    "installed_on": AssetSoftware.installed_on,
    "first_seen_at": AssetSoftware.first_seen_at,
    "removed_at": AssetSoftware.removed_at,
    "missing_since": Asset.missing_since,
    "product": SoftwareProduct.name,
}
SOFTWARE_COLUMNS = tuple(SOFTWARE)


def export_assets(chosen: Chosen | None = None) -> Iterator[Row]:
    """The chosen assets, by name; without a choice all, missing and retired ones too. Raises
    InvalidInput at once where nothing is chosen."""
    return _export_assets(chosen.to_conditions() if chosen else [])


def _export_assets(conditions: Sequence[ColumnElement[bool]]) -> Iterator[Row]:
    stale_before = get_stale_before()
    found = db.session.execute(
        query_assets()
        .where(*conditions)
        .order_by(Asset.name, Asset.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for part in found.partitions():
        yield from to_asset_rows(part, stale_before)


def query_assets() -> Select[Any]:
    """The columns that `to_asset_rows` reads: whole records would cost a list three times as much.
    The first is the asset's id."""
    return select(*_ASSET.values()).join(Asset.client)


def to_asset_rows(found: Sequence[Found[Any]], stale_before: datetime) -> Iterator[Row]:
    """Of rows of `query_assets`."""
    words, now = find_own_words([row[0] for row in found]), utc_now()
    for row in found:
        yield _asset_row(row, words[row[0]], now, stale_before)


def _asset_row(found: Found[Any], words: OwnWords, now: datetime, stale_before: datetime) -> Row:
    facts = dict(zip(_ASSET, found, strict=False))  # somebody may have asked for more
    status_at = facts["status_as_of"]
    status = to_shown_status(facts["agent_status"], status_at, now)
    uptime = to_uptime(facts["boot_time"], status, facts["last_seen_at"], now)
    facts |= {
        "asset_id": str(facts["asset_id"]),
        "superseded_device_ids": words.superseded,
        "tags": words.tags,
        "agent_status": status,
        "status_stale": status_at < stale_before,
        "uptime_seconds": None if uptime is None else int(uptime.total_seconds()),
    }
    return {name: plain(facts[name]) for name in ASSET_COLUMNS}


def export_organizations(shown: Shown | None = None) -> Iterator[Row]:
    """Those of the connected server that the list shows, by name; without it all."""
    found = db.session.scalars(
        select(OrganizationMapping)
        .where(*(shown or Shown()).to_conditions())
        .options(joinedload(OrganizationMapping.client))
        .order_by(OrganizationMapping.external_organization_name, OrganizationMapping.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    yield from map(to_organization_row, found)


def to_organization_row(mapping: OrganizationMapping) -> Row:
    client = mapping.client.name if mapping.client else None
    return {
        name: client if name == "client" else plain(getattr(mapping, name))
        for name in ORGANIZATION_COLUMNS
    }


def export_deliveries(shown: DeliveryFilter | None = None) -> Iterator[Row]:
    """The deliveries that the filter shows, the oldest first."""
    found = db.session.execute(
        select(*(getattr(Delivery, name) for name in DELIVERY_COLUMNS))
        .where(*delivery_conditions(shown or DeliveryFilter()))
        .order_by(Delivery.received_at, Delivery.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for row in found:
        yield {name: plain(value) for name, value in row._mapping.items()} | {"id": str(row.id)}


def export_software(*conditions: ColumnElement[bool]) -> Iterator[Row]:
    """Every version of a title that an asset has or had, asset by asset; of missing ones too."""
    found = db.session.execute(
        query_software()
        .where(*conditions)
        .order_by(AssetSoftware.asset_id, AssetSoftware.title_id, AssetSoftware.version)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    yield from map(to_software_row, found)


def query_software(*more: InstrumentedAttribute[Any]) -> Select[Any]:
    """The columns of SOFTWARE, and some more after them."""
    return (
        select(*SOFTWARE.values(), *more)
        .join(Asset, Asset.id == AssetSoftware.asset_id)
        .join(SoftwareTitle, SoftwareTitle.id == AssetSoftware.title_id)
        .outerjoin(SoftwareProduct, SoftwareProduct.id == SoftwareTitle.product_id)
    )


def to_software_row(values: Sequence[Any]) -> Row:
    """Of a row of `query_software`."""
    plain_values = (None if value == "" else plain(value) for value in values)
    return dict(zip(SOFTWARE_COLUMNS, plain_values, strict=False))
