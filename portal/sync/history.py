"""The history of assets: written in bulk, in the transaction that changes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import add_rows
from portal.models import AssetChange
from portal.models.assets.change import ChangeAction
from portal.sync.devices.facts import AGENT, VITALS
from portal.sync.devices.plan import Decision
from portal.sync.runs.action import Action
from portal.sync.runs.cause import Cause


class ColumnChange(NamedTuple):
    asset_id: int
    action: ChangeAction
    column: str = ""
    before: Any = None
    after: Any = None


def record_changes(session: Session, cause: Cause, changes: Iterable[ColumnChange]) -> None:
    """Of any number of assets, in one statement; none when there are none."""
    same = {"cause": cause.by, "run_id": cause.run_id, "user_id": cause.user_id, "at": utc_now()}
    rows = (
        (each.asset_id, each.action, each.column, to_json(each.before), to_json(each.after))
        for each in changes
    )
    add_rows(session, AssetChange, same, ColumnChange._fields, rows)


def list_changes(
    decisions: Sequence[Decision], created: Mapping[str, int]
) -> Iterator[ColumnChange]:
    """What the decisions change; `created` has the ids of new assets by agent_id."""
    for decision in decisions:
        known = decision.known
        if decision.action is Action.CREATED:
            yield ColumnChange(created[decision.external_id], ChangeAction.CREATED)
        if known is None:
            continue
        if decision.returned:
            since = known.missing_since
            yield ColumnChange(known.id, ChangeAction.RETURNED, "missing_since", since)
            if decision.restores:
                retired_at = known.retired_at
                yield ColumnChange(known.id, ChangeAction.RESTORED, "retired_at", retired_at)
        is_move = decision.action is Action.MOVED
        action = ChangeAction.MOVED if is_move else ChangeAction.UPDATED
        for column, (before, after) in (decision.changes or {}).items():
            if column not in VITALS and column != AGENT:
                yield ColumnChange(known.id, action, column, before, after)


def to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
