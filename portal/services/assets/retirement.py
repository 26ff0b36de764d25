"""Assets that are retired or restored, each time as a run that can be seen and taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Asset, Integration, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.listing import AssetFilter, asset_conditions
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.sync.devices.retirement import RETIRABLE, Retired, restore, retire, retired_entry
from portal.sync.runs.log import log_entry
from portal.sync.runs.person_runs import add_person_run, cause_of, record_done
from portal.wording import plural

IDS_AT_ONCE = 500
MOST_DIGITS = 18
"""Of a number that every column can hold."""
STILL_LISTED = (
    "Only an asset that is missing from Tactical can be retired. While its agent is listed, the "
    "next sync would bring it back: delete the agent in Tactical first."
)
OVERTAKEN = (
    "A sync or another person has just changed these assets, so nothing was done. Look at them "
    "again, and decide then."
)
IS_RETIRED = Asset.retired_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some assets by their ids, or all that a filter shows."""

    ids: Collection[int] = ()
    shown: AssetFilter | None = None

    def to_conditions(self) -> list[ColumnElement[bool]]:
        """Raises InvalidInput when nothing is chosen."""
        if self.shown is not None:
            return asset_conditions(self.shown, get_stale_before())
        if not self.ids:
            raise InvalidInput("Select at least one asset.")
        return [Asset.id.in_(self.ids)]


@dataclass(frozen=True, slots=True)
class Done:
    run: SyncRun
    number: int
    left: int = 0
    """How many of the chosen ones were left as they are."""
    title: str = field(default="")


def retire_assets(chosen: Chosen, user_id: int | None = None) -> Done:
    """Raises Refused when none of them can be, saying why, and InvalidInput for no choice."""
    conditions = chosen.to_conditions()
    with transaction() as session:
        found = _count(session, conditions)
        run = _begin(session, [*conditions, *RETIRABLE], user_id)
        if run is None:
            raise Refused(_why_not(session, conditions))
        rows = retire(session, conditions, cause_of(run), utc_now())
        entries = [retired_entry(row) for row in rows]
        return _end(session, run, Action.ASSETS_RETIRED, rows, entries, found - len(rows))


def restore_assets(chosen: Chosen, user_id: int | None = None) -> Done:
    """They are missing as before. Raises Refused when none is retired, and InvalidInput."""
    conditions = [*chosen.to_conditions(), IS_RETIRED]
    with transaction() as session:
        run = _begin(session, conditions, user_id)
        if run is None:
            raise Refused("None of these assets is retired.")
        locked = select(Asset.id, Asset.retired_at).where(*conditions).order_by(Asset.id)
        since = {row[0]: row[1] for row in session.execute(locked.with_for_update())}
        rows: list[Retired] = []
        for ids in chunked(list(since), IDS_AT_ONCE):
            some = {asset_id: at for asset_id in ids if (at := since[asset_id]) is not None}
            rows += restore(session, some, cause_of(run))
        entries = [log_entry("restored", row.rmm_device_id, row.name) for row in rows]
        return _end(session, run, Action.ASSETS_RESTORED, rows, entries)


def get_asset_id(name: str) -> int:
    """Of an asset by Tactical's agent_id, or by its own number. Raises NotFound, and InvalidInput
    where a server has given an agent the number of another asset."""
    found = {each for each in (_find_by_agent(name), _find_by_number(name)) if each is not None}
    if not found:
        raise NotFound(f"There is no asset {name!r}. Name it by its agent_id or its number.")
    if len(found) > 1:
        raise InvalidInput(
            f"{name} is the number of one asset and the agent_id of another one. Use the pages of "
            "the portal for these two."
        )
    return found.pop()


def _find_by_agent(agent_id: str) -> int | None:
    """Of the connected server, if it has such an agent; else of the one that was set aside last."""
    ids = select(Asset.id).join(Integration, Integration.id == Asset.integration_id)
    newest = (Integration.set_aside_at.is_not(None), Asset.id.desc())
    return db.session.scalar(ids.where(Asset.rmm_device_id == agent_id).order_by(*newest).limit(1))


def _find_by_number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return None
    return db.session.scalar(select(Asset.id).where(Asset.id == int(text)))


def _begin(
    session: Session, conditions: Sequence[ColumnElement[bool]], user_id: int | None
) -> SyncRun | None:
    """The run of what is done to these assets; None when there are none."""
    found = select(Asset.integration_id).where(*conditions)
    integration_id = session.scalar(found.order_by(Asset.integration_id.desc()).limit(1))
    if integration_id is None:
        return None
    return add_person_run(session, integration_id, SyncKind.ASSETS, "", user_id)


def _end(
    session: Session,
    run: SyncRun,
    action: Action,
    rows: Sequence[Retired],
    entries: Sequence[dict[str, Any]],
    left: int = 0,
) -> Done:
    if not rows:
        raise Refused(OVERTAKEN)
    what = rows[0].name if len(rows) == 1 else plural(len(rows), "asset")
    is_retired = action is Action.ASSETS_RETIRED
    run.title = f"{'Retired' if is_retired else 'Restored'} {what}"
    record_done(session, run, {"retired" if is_retired else "updated": len(rows)}, entries)
    record_many(action, run, [entry["name"] for entry in entries])
    return Done(run, len(rows), left, run.title)


def record_many(action: Action, run: SyncRun, names: Sequence[str]) -> None:
    """One row for all of them."""
    what = names[0] if len(names) == 1 else plural(len(names), "asset")
    record(action, Target("asset", "", what), after={"assets": names, "run_id": run.id})


def _why_not(session: Session, conditions: Sequence[ColumnElement[bool]]) -> str:
    """None of these can be retired: because they are, or because their agents are listed."""
    if _count(session, [*conditions, Asset.missing_since.is_(None)]):
        return STILL_LISTED
    return "These assets are retired already." if _count(session, conditions) else "No such asset."


def _count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    return session.scalar(select(func.count()).select_from(Asset).where(*conditions)) or 0
