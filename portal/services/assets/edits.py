"""Editing an asset by hand: what was edited is locked against the sync until it is released."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import InvalidInput
from portal.models import Asset
from portal.models.assets.asset import LOCKS
from portal.models.assets.change import ChangeAction
from portal.services.assets.listing import get_asset
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.clients import get_client
from portal.services.text import LONGEST_LINE, clean_line
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause

ASSET_TYPES = ("workstation", "server")

FIELDS = {column.removesuffix("_id"): lock for column, lock in LOCKS.items()}
"""Of the form, to the flag that locks each."""


@dataclass(frozen=True, slots=True)
class AssetEdit:
    name: str
    description: str
    asset_type: str
    client_id: int | None


def edit_asset(asset_id: int, edit: AssetEdit, user_id: int | None = None) -> list[str]:
    """Write the fields that differ, and lock those; their names. Raises InvalidInput, NotFound."""
    name = clean_line(edit.name, "name", "a name for the asset")
    description = edit.description.strip()
    if len(description) > LONGEST_LINE:
        raise InvalidInput(f"Use at most {LONGEST_LINE} characters.", field="description")
    if edit.asset_type not in ASSET_TYPES:
        raise InvalidInput("Choose a type: workstation or server.", field="asset_type")
    if edit.client_id is None:
        raise InvalidInput("Choose the client that the asset belongs to.", field="client")
    with transaction() as session:
        asset = get_asset(asset_id)
        wanted: dict[str, object] = {
            "name": name,
            "description": description or None,
            "asset_type": edit.asset_type,
            "client_id": get_client(edit.client_id).id,
        }
        return _write(session, asset, wanted, Cause.of_person(user_id))


def release_field(asset_id: int, field: str, user_id: int | None = None) -> Asset:
    """Let the sync write the field again; the next one does. Raises InvalidInput, NotFound."""
    lock = FIELDS.get(field)
    if lock is None:
        raise InvalidInput("This field is never locked, so there is nothing to release.")
    with transaction() as session:
        asset = get_asset(asset_id)
        if getattr(asset, lock):
            setattr(asset, lock, False)
            change = ColumnChange(asset.id, ChangeAction.RELEASED, lock.replace("_locked", ""))
            record_changes(session, Cause.of_person(user_id), [change])
            record(Action.ASSET_RELEASED, _target(asset), {"locked": field}, {"locked": None})
    return asset


def list_locked(asset: Asset) -> list[str]:
    """The fields of an asset that the sync leaves alone."""
    return [field for field, lock in FIELDS.items() if getattr(asset, lock)]


def _write(session: Session, asset: Asset, wanted: dict[str, object], cause: Cause) -> list[str]:
    changed = [column for column, value in wanted.items() if getattr(asset, column) != value]
    before = {column: getattr(asset, column) for column in changed}
    edits = [
        ColumnChange(asset.id, ChangeAction.EDITED, column, getattr(asset, column), wanted[column])
        for column in changed
    ]
    for column in changed:
        setattr(asset, column, wanted[column])
        setattr(asset, LOCKS[column], True)
    session.flush()
    record_changes(session, cause, edits)
    if changed:
        after = {column: wanted[column] for column in changed}
        record(Action.ASSET_EDITED, _target(asset), before, after)
    return changed


def _target(asset: Asset) -> Target:
    return Target("asset", asset.id, asset.name)
