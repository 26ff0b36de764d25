"""What people are shown of merges that would be taken back or made again: both assets, and what
goes back with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.models import Asset, AssetChange, RemovedAsset
from portal.models.assets.change import ChangeAction
from portal.models.assets.labels import label_column
from portal.sync.devices.facts import AGENT
from portal.sync.devices.merging.merge import UNTOLD
from portal.sync.devices.merging.unmerge import goes_with_agent
from portal.sync.history import to_json
from portal.sync.reverting.load import load_assets
from portal.sync.reverting.merges import Merge, plan_merge
from portal.sync.reverting.plan import AS_A_WHOLE, AssetRevert, weigh
from portal.wording import join_words, plural

MERGES_AT_ONCE = 100
"""Each has all that its asset had."""
Besides = Mapping[int, Mapping[int, str]]
"""By asset, what the run changed besides merging: column by the id of its history's row."""


def preview_merges(session: Session, run_id: int, merges: Sequence[Merge]) -> Iterator[AssetRevert]:
    for some in chunked(merges, MERGES_AT_ONCE):
        keep_ids = [merge.keep_id for merge in some]
        rows = load_assets(session, Asset.id.in_(keep_ids), lock=False)
        keeps = {row["id"]: {name: to_json(row[name]) for name in row} for row in rows}
        removed_ids = [merge.removed_id for merge in some if merge.removed_id is not None]
        stored = select(RemovedAsset.id, RemovedAsset.snapshot)
        found = session.execute(stored.where(RemovedAsset.id.in_(removed_ids)))
        snapshots: dict[int, dict[str, Any]] = {row.id: row.snapshot for row in found}
        besides = _load_besides(session, run_id, keep_ids)
        for merge in some:
            keep = keeps.get(merge.keep_id)
            if keep is None:
                yield plan_merge(merge)  # why not is told when it is tried
            elif merge.removed_id is None:
                told = [f"It goes into {keep['name']} (asset {merge.keep_id}) again."]
                yield replace(plan_merge(merge), told=told)
            else:
                yield from _preview(merge, keep, snapshots[merge.removed_id], besides)


def _preview(
    merge: Merge, keep: Mapping[str, Any], snapshot: Mapping[str, Any], besides: Besides
) -> Iterator[AssetRevert]:
    own = set(snapshot["changes"])
    of_both = besides.get(merge.keep_id, {})
    told = [
        f"It comes out of {keep['name']} (asset {merge.keep_id}), as an asset of its own.",
        _tell_contents(snapshot),
        _tell_besides({column for id, column in of_both.items() if id in own}),
    ]
    yield replace(plan_merge(merge), told=list(filter(None, told)))
    changes, stayed = _split(merge, keep, snapshot["kept"])
    others = {column for id, column in of_both.items() if id not in own} - changes.keys()
    if not (changes or stayed or others):
        return
    told = [f"{merge.name} (asset {merge.other_id}) comes out of it.", _tell_besides(others)]
    if stayed:
        names = join_words([label_column(name) for name in stayed])
        told.append(f"Changed since, so it stays: {names}.")
    action = weigh(changes.keys() | others)
    told = list(filter(None, told))
    yield AssetRevert(merge.keep_id, keep[AGENT], keep["name"], action, changes, told=told)


def _split(
    merge: Merge, keep: Mapping[str, Any], kept: Mapping[str, Any]
) -> tuple[dict[str, tuple[Any, Any]], list[str]]:
    """The columns of the kept asset that go back, and those that stay."""
    changes, stayed = {}, []
    had_agent = merge.agent_of == merge.other_id
    for name, then in kept["after"].items():
        before, now = kept["before"][name], keep.get(name)
        if name in UNTOLD or before in (then, now):
            continue
        if now == then or (had_agent and goes_with_agent(name, keep)):
            changes[name] = (now, before)
        else:
            stayed.append(name)
    return changes, stayed


def _load_besides(session: Session, run_id: int, keep_ids: Collection[int]) -> Besides:
    rows = session.execute(
        select(AssetChange.asset_id, AssetChange.id, AssetChange.column).where(
            AssetChange.run_id == run_id,
            AssetChange.asset_id.in_(keep_ids),
            AssetChange.action.not_in((ChangeAction.MERGED, ChangeAction.RELEASED)),
            AssetChange.column != AS_A_WHOLE,
        )
    )
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for row in rows:
        found[row.asset_id][row.id] = row.column
    return found


def _tell_contents(snapshot: Mapping[str, Any]) -> str:
    parts = (
        (len(snapshot["alerts"]), "alert", "alerts"),
        (len(snapshot["software"]), "software entry", "software entries"),
        (len(snapshot["changes"]), "entry of its history", "entries of its history"),
    )
    gets = [plural(number, one, many) for number, one, many in parts if number]
    return f"It gets back {join_words(gets)}." if gets else ""


def _tell_besides(columns: Collection[str]) -> str:
    if not columns:
        return ""
    names = join_words([label_column(name) for name in sorted(columns)])
    return f"What else the run changed of it goes back, too: {names}."
