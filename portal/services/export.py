"""Everything of a kind, as rows of plain values: for files and for other programs.

Ids are text, times are ISO 8601 in UTC, empty is None.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import db, utc_now
from portal.models import Asset, OrganizationMapping
from portal.services.assets import AssetFilter, asset_conditions
from portal.services.integrations import find_integration

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
    "last_seen_at",
    "last_rmm_sync_at",
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


def export_assets(shown: AssetFilter | None = None) -> Iterator[Row]:
    """The assets that the filter shows, by name."""
    now = utc_now()
    found = db.session.scalars(
        select(Asset)
        .where(*asset_conditions(shown or AssetFilter()))
        .options(joinedload(Asset.client))
        .order_by(Asset.name, Asset.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for asset in found:
        uptime = asset.uptime_at(now)
        computed = {
            "client": asset.client.name,
            "uptime_seconds": None if uptime is None else int(uptime.total_seconds()),
        }
        yield {
            name: computed[name] if name in computed else _plain(getattr(asset, name))
            for name in ASSET_COLUMNS
        }


def export_organizations() -> Iterator[Row]:
    """The organizations of the connected server, by name."""
    integration = find_integration()
    found = db.session.scalars(
        select(OrganizationMapping)
        .where(OrganizationMapping.integration_id == (integration.id if integration else None))
        .options(joinedload(OrganizationMapping.client))
        .order_by(OrganizationMapping.external_organization_name, OrganizationMapping.id)
    )
    for mapping in found:
        client = mapping.client.name if mapping.client else None
        yield {
            name: client if name == "client" else _plain(getattr(mapping, name))
            for name in ORGANIZATION_COLUMNS
        }


def to_csv(columns: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """CSV line by line, with a heading."""
    columns = list(columns)
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(columns)
    for row in rows:
        yield _take(line)
        writer.writerow([_safe_cell(row[name]) for name in columns])
    yield _take(line)


def _take(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def _safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: hostnames and users come from outside."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
