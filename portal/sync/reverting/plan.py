"""Deciding what of a run goes back, and what cannot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.models.assets.change import ChangeAction
from portal.models.assets.labels import label_column
from portal.models.runs.revert_action import RevertAction
from portal.sync.devices.facts import AGENT

CLIENT = "client_id"
MISSING = "missing_since"
RETIRED = "retired_at"
AS_A_WHOLE = ""
"""The column of a change that is about the asset itself."""
_BROUGHT = (ChangeAction.CREATED, ChangeAction.REVERTED)
"""Whole assets that such a change tells of were not there before."""
_APART = (ChangeAction.RELEASED, ChangeAction.MERGED)
"""No columns go back by these: a merge is taken back as a whole."""
_UNWEIGHED = frozenset({MISSING, "absent_runs"})
"""Columns whose change by another run does not keep a created asset from being removed."""
_NOUNS = {MISSING: "mark as missing", RETIRED: "retirement"}
"""Of columns whose label is no noun."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the history. Values are as JSON has them; `who` is for people."""

    id: int
    asset_id: int
    action: ChangeAction
    column: str
    before: Any
    after: Any
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class AssetRevert:
    """What becomes of one asset; or, with no `asset_id`, of an organization, whose number stands
    in `agent_id`. `changes` is `{column: (now, then)}`, as JSON has them."""

    asset_id: int | None
    agent_id: str
    name: str
    action: RevertAction
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    kept: Sequence[str] = ()
    """What cannot go back and why: a sentence each."""
    told: Sequence[str] = ()
    """What else is to be said of what goes back: a sentence each."""


def plan_asset(
    asset: Mapping[str, Any],
    own: Sequence[Change],
    later: Sequence[Change],
    clients: Set[int],
    taken: Set[str] = frozenset(),
) -> AssetRevert:
    """Of an asset as it stands (`{column: value}` as JSON), what the run did to it and what others
    did since, both in order; `clients` are those that there are, `taken` the agents that other
    assets have."""
    asset_id, agent_id, name = asset["id"], asset[AGENT], asset["name"]
    since = _last_of_each(own, later)
    if any(change.column == AS_A_WHOLE and change.action in _BROUGHT for change in own):
        if kept := _why_it_stays(since):
            return AssetRevert(asset_id, agent_id, name, RevertAction.UNCHANGED, kept=[kept])
        return AssetRevert(asset_id, agent_id, name, RevertAction.REMOVED)
    changes: dict[str, tuple[Any, Any]] = {}
    kept_columns: list[str] = []
    for column, (before, after) in _net_changes(own).items():
        now = asset.get(column)
        reason = _why_not(column, now, after, since.get(column))
        if reason is None and column == CLIENT and before not in clients:
            reason = "The client that it had does not exist any more."
        if reason is None and column == AGENT and before in taken:
            reason = "The agent that it had belongs to another asset by now."
        if reason is not None:
            kept_columns.append(reason)
        elif now != before:
            changes[column] = (now, before)
    _, missing_since = changes.get(MISSING, (None, asset.get(MISSING)))
    if changes.get(RETIRED, (None, None))[1] is not None and missing_since is None:
        del changes[RETIRED]
        kept_columns.append("Tactical lists its agent again, so it is not retired.")
    return AssetRevert(asset_id, agent_id, name, weigh(changes.keys()), changes, kept_columns)


def _net_changes(own: Iterable[Change]) -> dict[str, tuple[Any, Any]]:
    """`{column: (before, after)}` of the whole run."""
    found: dict[str, tuple[Any, Any]] = {}
    for change in own:
        if change.column == AS_A_WHOLE or change.action in _APART:
            continue
        first = found.get(change.column)
        found[change.column] = (first[0] if first else change.before, change.after)
    return found


def _last_of_each(own: Iterable[Change], later: Iterable[Change]) -> dict[str, Change]:
    """The last change of each column by somebody else after the run's own."""
    done = {change.column: change.id for change in own}
    return {each.column: each for each in later if each.id > done.get(each.column, 0)}


def _why_not(column: str, now: Any, after: Any, last: Change | None) -> str | None:
    """None when the column may go back. What another run changed and took back itself does not
    count."""
    if last is not None and (last.action is not ChangeAction.REVERTED or now != after):
        return _tell(column, last)
    if now != after:
        return f"The {_noun(column)} is no longer what the run set."
    return None


def _why_it_stays(since: Mapping[str, Change]) -> str | None:
    """Why an asset that the run made is not removed: the last thing that became of it."""
    standing = [
        change
        for column, change in since.items()
        if change.action is not ChangeAction.REVERTED and column not in _UNWEIGHED
    ]
    if not standing:
        return None
    last = max(standing, key=lambda change: change.id)
    if last.action is ChangeAction.MERGED:
        return f"Another asset was merged into it by {last.who} on {_day(last.at)}."
    return _tell(last.column, last)


def _tell(column: str, last: Change) -> str:
    done = "released" if last.action is ChangeAction.RELEASED else "changed"
    return f"The {_noun(column)} was {done} by {last.who} on {_day(last.at)}."


def _noun(column: str) -> str:
    return _NOUNS.get(column) or label_column(column)


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def weigh(columns: Set[str]) -> RevertAction:
    """Named by the weightiest of the columns that go back."""
    if not columns:
        return RevertAction.UNCHANGED
    if AGENT in columns:
        return RevertAction.RELINKED
    moved = columns & {CLIENT, "rmm_organization_id"}
    return RevertAction.MOVED if moved else RevertAction.UPDATED
