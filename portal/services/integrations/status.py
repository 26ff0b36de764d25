"""How a connection stands, for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.db import db
from portal.models import Integration, SyncRun
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import SyncKind
from portal.services.assets.freshness import stale_before, status_read_seconds
from portal.services.assets.listing import count_by_status
from portal.services.integrations.sweep_intervals import (
    SweepInterval,
    sweep_seconds,
    to_interval,
)
from portal.services.organizations.listing import (
    OrganizationFilter,
    is_of_connected,
    organization_counts,
)
from portal.services.runs.history import find_active_and_last_runs

_KINDS = (SyncKind.ORGANIZATIONS, SyncKind.DEVICES, SyncKind.STATUS)


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """`source`: what device syncs read, of InventorySource. `assets`: see `count_by_status`.
    `importing`: the run that imports the first organizations."""

    source: str | None
    last_organization_sync: datetime | None
    last_device_sync: datetime | None
    last_status_sweep: datetime | None
    sweep_interval: SweepInterval | None
    organizations_mapped: int
    organizations_total: int
    assets: Mapping[str, int]
    importing: SyncRun | None


def read_status(integration: Integration) -> ConnectionStatus:
    """Three statements."""
    active, last = find_active_and_last_runs(SyncKind.ORGANIZATIONS, *_KINDS)
    ended = {kind: run.finished_at for kind, run in last.items()}
    seconds: list[Any] = [sweep_seconds(integration), status_read_seconds()]
    numbers = select(*seconds, *organization_counts()).where(is_of_connected())
    sweep, read, *counted = db.session.execute(numbers).one()
    organizations = dict(zip(OrganizationFilter, counted, strict=True))
    total = organizations[OrganizationFilter.ALL]
    devices = last.get(SyncKind.DEVICES)
    return ConnectionStatus(
        source=devices.source if devices else _source(integration),
        last_organization_sync=ended.get(SyncKind.ORGANIZATIONS),
        last_device_sync=ended.get(SyncKind.DEVICES),
        last_status_sweep=ended.get(SyncKind.STATUS),
        sweep_interval=to_interval(integration, sweep),
        organizations_mapped=organizations[OrganizationFilter.MAPPED],
        organizations_total=total,
        assets=count_by_status(stale_before=stale_before(read), integration=integration),
        importing=None if total else active,
    )


def _source(integration: Integration) -> InventorySource | None:
    """What the first device sync will read, as far as the last passed test shows."""
    if integration.tested_at is None or integration.inventory_source is not InventorySource.AUTO:
        return None if integration.tested_at is None else integration.inventory_source
    reads_beta = integration.beta_api and not integration.key_restricted
    return InventorySource.BETA if reads_beta else InventorySource.DASHBOARD
