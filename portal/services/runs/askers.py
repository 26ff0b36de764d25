"""Whoever asked for a run that changes many assets, or for its undoing: it goes on as long as they
may, and with what they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select

from portal.db import db
from portal.models import Asset, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import allowed_clients, limited_to
from portal.services.accounts.asker import find_place_that_may
from portal.services.accounts.limits import read_limit
from portal.services.accounts.permissions import Permission
from portal.sync.devices.asset_changes import AssetAction

_NEEDED: Final[Mapping[AssetAction, Permission]] = {
    AssetAction.RETIRE: Permission.EDIT,
    AssetAction.RESTORE: Permission.EDIT,
    AssetAction.DELETE: Permission.DELETE,
}


def needed_for(run: SyncRun) -> Permission:
    """By whoever asks for it. What was done to assets goes back with the right to do it; all else
    concerns organizations too."""
    if run.kind is SyncKind.ASSETS:
        return _NEEDED[AssetAction.from_subject(run.subject)]
    undone = db.session.get(SyncRun, run.reverts_run_id) if run.reverts_run_id else None
    is_of_assets = undone is not None and undone.kind is SyncKind.ASSETS
    return Permission.EDIT if is_of_assets else Permission.MAP


def list_theirs(run: SyncRun, needed: Permission, asset_ids: Sequence[int]) -> Sequence[int]:
    """Those of the assets that whoever asked sees still. Raises PermissionDenied where they may not
    do this any more. A command is no person's."""
    if run.trigger == "command":
        return asset_ids
    place = find_place_that_may(run.requested_by, needed)
    with limited_to(read_limit(place)):
        if allowed_clients() is None:
            return asset_ids
        return db.session.scalars(select(Asset.id).where(Asset.id.in_(asset_ids))).all()
