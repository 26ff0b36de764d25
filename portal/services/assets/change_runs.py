"""Runs that retire, restore or delete assets: the request writes them, and whoever is free for it
does them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.models import Asset, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import beyond_clients
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values
from portal.services.runs.history import find_active_run
from portal.sync.devices.asset_changes import AssetAction
from portal.wording import plural

_RECORDED: dict[AssetAction, tuple[Action, Values, Values]] = {
    AssetAction.RETIRE: (Action.ASSETS_RETIRED, {"retired": False}, {"retired": True}),
    AssetAction.RESTORE: (Action.ASSETS_RESTORED, {"retired": True}, {"retired": False}),
    AssetAction.DELETE: (Action.ASSETS_DELETED, {"retired": True}, {}),
}
"""What is recorded, and what holds of all the assets before and after."""


def ask_for_change(
    action: AssetAction,
    conditions: Sequence[ColumnElement[bool]],
    check: Callable[[Session, int], None],
    user_id: int | None,
) -> tuple[SyncRun, bool]:
    """The run that does it to all assets that meet the conditions, and whether it is a new one:
    of the same assets, the one that waits or works already is the answer.

    `check` is given their number and raises what is to be told instead.
    """
    wanted = select(Asset.id, Asset.integration_id, Asset.name).where(*conditions)
    try:
        with transaction() as session:
            rows = session.execute(wanted.order_by(Asset.id)).all()
            check(session, len(rows))
            with beyond_clients():  # the assets are those of whoever asks; the run tells no more
                return _find_or_add(session, action, rows, user_id)
    except IntegrityError:  # somebody pressed at the same moment
        return ask_for_change(action, conditions, check, user_id)


def _find_or_add(
    session: Session,
    action: AssetAction,
    rows: Sequence[Row[int, int, str]],
    user_id: int | None,
) -> tuple[SyncRun, bool]:
    ids = [row.id for row in rows]
    subject = action.to_subject(ids)
    if (active := find_active_run(SyncKind.ASSETS, subject)) is not None:
        return active, False
    run = SyncRun(
        integration_id=max(row.integration_id for row in rows),
        kind=SyncKind.ASSETS,
        subject=subject,
        asset_ids=ids,
        trigger="command" if user_id is None else "button",
        requested_by=user_id,
    )
    session.add(run)
    session.flush()
    names = [row.name for row in rows]
    what = names[0] if len(names) == 1 else plural(len(names), "asset")
    recorded, before, after = _RECORDED[action]
    about = Target("asset", "", what)
    record(recorded, about, {"assets": names, **before}, {"run_id": run.id, **after})
    return run, True
