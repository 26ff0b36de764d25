"""Deleting retired assets for good: counted first, then asked for, then done by a worker."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.db import db, transaction
from portal.errors import InvalidInput, Refused
from portal.models import Alert, Asset, AssetChange, AssetSoftware, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.retirement import IS_RETIRED, OVERTAKEN, Chosen, record_many
from portal.services.audit.actions import Action
from portal.services.runs.execution import run_queued
from portal.services.runs.history import find_active_run, get_run
from portal.services.runs.requests import enqueue_run


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
        raise Refused("Only retired assets can be deleted. Retire them first.")
    software, changes, alerts = (
        db.session.scalar(select(func.count()).where(table.asset_id.in_(which))) or 0
        for table in (AssetSoftware, AssetChange, Alert)
    )
    return Contents(number, software, changes, alerts, example)


def request_deletion(chosen: Chosen, typed: int | None, user_id: int | None = None) -> SyncRun:
    """Let a worker do it; `typed` is the number of assets that a person was shown. Raises as
    `count_contents`, and InvalidInput with the field for another number."""
    run, is_new = _add(chosen, "button", typed, user_id)
    if is_new:
        enqueue_run(run)
    return run


def delete_to_end(asset_id: int) -> SyncRun:
    """One asset, in this process. For commands. Raises as `count_contents`."""
    run, _ = _add(Chosen([asset_id]), "command", 1, None)
    run_queued(run.id)
    done = get_run(run.id)
    if done.status is not RunStatus.SUCCESS:
        raise Refused(done.error or "Another process is deleting this asset.")
    if not done.removed:
        raise Refused(OVERTAKEN)
    return done


def _add(
    chosen: Chosen, trigger: str, typed: int | None, user_id: int | None
) -> tuple[SyncRun, bool]:
    """The run that deletes them, and whether it is a new one."""
    wanted = select(Asset.id, Asset.integration_id, Asset.name)
    wanted = wanted.where(*chosen.to_conditions(), IS_RETIRED)
    try:
        with transaction() as session:
            rows = session.execute(wanted.order_by(Asset.id)).all()
            if not rows:
                raise Refused("Only retired assets can be deleted. Retire them first.")
            if typed != len(rows):
                raise InvalidInput(f"Enter {len(rows)} to confirm.", field="number")
            ids = [row.id for row in rows]
            subject = sha256(" ".join(map(str, ids)).encode()).hexdigest()[:16]
            if (active := find_active_run(SyncKind.ASSETS, subject)) is not None:
                return active, False
            run = SyncRun(
                integration_id=max(row.integration_id for row in rows),
                kind=SyncKind.ASSETS,
                subject=subject,
                asset_ids=ids,
                trigger=trigger,
                requested_by=user_id,
            )
            session.add(run)
            session.flush()
            record_many(Action.ASSETS_DELETED, run, [row.name for row in rows])
    except IntegrityError:  # somebody pressed at the same moment
        return _add(chosen, trigger, typed, user_id)
    return run, True
