"""Deleting retired assets for good: counted first, then asked for, then done by a worker."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.db import db
from portal.errors import InvalidInput, Refused
from portal.models import Alert, Asset, AssetChange, AssetSoftware, SyncRun
from portal.models.runs.sync_run import RunStatus
from portal.services.assets.change_runs import ask_for_change
from portal.services.assets.choosing import Chosen
from portal.services.assets.retirement import IS_RETIRED, OVERTAKEN
from portal.services.runs.execution import work_to_end
from portal.services.runs.requests import enqueue_run
from portal.sync.devices.asset_changes import AssetAction

NOT_RETIRED = "Only retired assets can be deleted. Retire them first."


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes with assets that are deleted."""

    assets: int
    software: int
    changes: int
    alerts: int
    """They stay, without their asset."""
    example: str
    """The name of one of the assets."""


def count_contents(chosen: Chosen) -> Contents:
    """What deleting would take; of the retired ones among the chosen. Raises Refused when none is
    retired, and InvalidInput for no choice."""
    which = select(Asset.id).where(*chosen.to_conditions(), IS_RETIRED)
    assets = select(func.count(), func.min(Asset.name)).where(Asset.id.in_(which))
    number, example = db.session.execute(assets).one()
    if not number:
        raise Refused(NOT_RETIRED)
    software, changes, alerts = (
        db.session.scalar(select(func.count()).where(table.asset_id.in_(which))) or 0
        for table in (AssetSoftware, AssetChange, Alert)
    )
    return Contents(number, software, changes, alerts, example)


def request_deletion(chosen: Chosen, typed: int | None, user_id: int | None = None) -> SyncRun:
    """Let a worker do it; `typed` is the number of assets that a person was shown. Raises as
    `count_contents`, and InvalidInput with the field for another number."""
    run, is_new = _ask(chosen, typed, user_id)
    if is_new:
        enqueue_run(run)
    return run


def delete_to_end(asset_id: int) -> SyncRun:
    """One asset, in this process. For commands. Raises as `count_contents`."""
    run, _ = _ask(Chosen([asset_id]), 1, None)
    done = work_to_end(run.id)
    if done.status is not RunStatus.SUCCESS or not done.removed:
        raise Refused(done.error or OVERTAKEN)
    return done


def _ask(chosen: Chosen, typed: int | None, user_id: int | None) -> tuple[SyncRun, bool]:
    def check(_session: Session, number: int) -> None:
        if not number:
            raise Refused(NOT_RETIRED)
        if typed != number:
            raise InvalidInput(f"Enter {number} to confirm.", field="number")

    conditions = [*chosen.to_conditions(), IS_RETIRED]
    return ask_for_change(AssetAction.DELETE, conditions, check, user_id)
