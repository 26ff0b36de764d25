"""Removing what the connection, or the mapping of one organization, has created: counted first,
then asked for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from portal.db import db
from portal.errors import InvalidInput, Refused
from portal.models import Alert, Asset, AssetSoftware, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.integrations.current import get_integration
from portal.services.organizations.listing import get_organization
from portal.services.runs.requests import request_run
from portal.sync.reverting.clearing import Clearing, is_edited


@dataclass(frozen=True, slots=True)
class Created:
    """What there is of a connection (`name` None) or an organization. `edited` of the assets were
    changed by hand, or others were merged into them."""

    name: str | None
    assets: int
    edited: int
    alerts: int
    software: int


def count_created(mapping_id: int | None) -> Created:
    """Raises NotFound."""
    name, clearing = _find(mapping_id, edited_too=True)
    conditions = clearing.list_conditions(get_integration().id)
    return Created(
        name,
        _count(Asset, *conditions),
        _count(Asset, *conditions, is_edited()),
        _count_parts(Alert, conditions),
        _count_parts(AssetSoftware, conditions),
    )


def request_clearing(
    mapping_id: int | None, typed: int | None, edited_too: bool, user_id: int | None = None
) -> SyncRun:
    """Let a worker do it; `typed` is the number of assets that a person was shown, `user_id` None
    is somebody at the command line. Raises NotFound, InvalidInput with the field, and Refused where
    there is nothing."""
    name, clearing = _find(mapping_id, edited_too)
    count = _count(Asset, *clearing.list_conditions(get_integration().id))
    if not count:
        raise Refused("There is no asset to remove.")
    if typed != count:
        raise InvalidInput(f"Enter {count} to confirm.", field="number")
    what = "this connection" if name is None else f"the mapping of {name}"
    title = f"Removed what {what} created"
    trigger = "command" if user_id is None else "button"
    run, _ = request_run(SyncKind.REVERT, trigger, clearing.subject, user_id=user_id, title=title)
    return run


def _find(mapping_id: int | None, edited_too: bool) -> tuple[str | None, Clearing]:
    if mapping_id is None:
        return None, Clearing(None, edited_too)
    mapping = get_organization(mapping_id)
    name = mapping.external_organization_name
    return name, Clearing(mapping.external_organization_id, edited_too)


def _count(table: type[Asset], *conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _count_parts(table: type[Alert | AssetSoftware], conditions: list[ColumnElement[bool]]) -> int:
    of_assets = table.asset_id.in_(select(Asset.id).where(*conditions))
    return db.session.scalar(select(func.count()).select_from(table).where(of_assets)) or 0
