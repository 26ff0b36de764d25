"""The assets that Tactical lists no more, for other programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, select

from portal.clock import iso_utc, utc_now
from portal.db import db
from portal.models import Asset, Client
from portal.services.integrations.current import find_integration
from portal.sync.devices.retirement import is_proposed


@dataclass(frozen=True, slots=True)
class MissingAsset:
    """Moments are ISO 8601 in UTC."""

    device_id: str
    name: str
    client: str
    missing_since: str
    absent_runs: int
    proposed: bool
    """For retirement."""
    retired_at: str | None

    @property
    def state(self) -> str:
        if self.retired_at is not None:
            return "retired"
        return "proposed for retirement" if self.proposed else "missing"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def list_missing() -> list[MissingAsset]:
    """Retired ones too, by name."""
    proposed = and_(*is_proposed(find_integration(), utc_now()))
    rows = db.session.execute(
        select(
            Asset.rmm_device_id,
            Asset.name,
            Client.name,
            Asset.missing_since,
            Asset.absent_runs,
            proposed,
            Asset.retired_at,
        )
        .join(Client, Client.id == Asset.client_id)
        .where(Asset.missing_since.is_not(None))
        .order_by(Asset.name, Asset.id)
    )
    return [
        MissingAsset(
            device_id,
            name,
            client,
            "" if since is None else iso_utc(since),
            absent_runs,
            bool(is_one),
            None if retired_at is None else iso_utc(retired_at),
        )
        for device_id, name, client, since, absent_runs, is_one, retired_at in rows
    ]
