"""A run that takes another one back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import count_changed, db, release, transaction
from portal.models import Asset, RemovedAsset, SyncLogEntry, SyncRun
from portal.models.assets.change import ChangeAction
from portal.models.runs.revert_action import RevertAction
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.sync.devices.facts import AGENT, FACTS, PLACE
from portal.sync.devices.held import LISTED, OF_AN_AGENT
from portal.sync.devices.held_conflicts import MERGED, Held, hold, release_held
from portal.sync.devices.sightings import note_sightings
from portal.sync.history import ColumnChange, record_changes, to_json
from portal.sync.reverting.load import (
    StoredRevert,
    list_changed_assets,
    list_clients,
    plan_reverts,
    preview_reverts,
)
from portal.sync.reverting.mappings import plan_mappings, write_mappings
from portal.sync.reverting.merge_previews import preview_merges
from portal.sync.reverting.merges import (
    Merge,
    list_assets_of,
    list_done,
    list_merges,
    merge_entry,
    take_back,
)
from portal.sync.reverting.plan import MISSING, AssetRevert
from portal.sync.reverting.removing import bring_back, find_obstacles, remove_assets
from portal.sync.reverting.write import note_bereft, write_changes
from portal.sync.runs.log import RunLog, log_entry
from portal.wording import plural

ASSETS_AT_ONCE = 500
SERIAL = "serial_number"
NOT_SEEN = "Whoever asked for it does not see {} any more. What was done to them stays."
FROM_TACTICAL = (
    SyncKind.DEVICES,
    SyncKind.APPLY,
    SyncKind.AGENT,
    SyncKind.AGENTS,
    SyncKind.STATUS,
)
"""Kinds that do what Tactical says: the next one would do it again."""
_TACTICALS = frozenset({*PLACE, *FACTS, "client_id"})


def revert_run(
    integration_id: int,
    run_log: RunLog,
    run_id: int,
    list_theirs: Callable[[Sequence[int]], Sequence[int]],
) -> None:
    """Take back what the run did to assets, as far as nobody changed it since. Raises RunEnded.

    What is committed stays done: an attempt that broke off is gone on with by the next one.
    `list_theirs` as in `change_assets`.
    """
    revert = _Revert.begin(integration_id, run_log, run_id)
    removed = _list_removed(db.session(), run_id)
    assets = list_changed_assets(db.session(), run_id)
    release()
    run_log.set_phase("Undoing", len(removed) + len(assets))
    list_theirs(())
    revert.map_back()
    for merge in revert.merges:
        list_theirs(())
        revert.take_merge_back(merge)
    for some in chunked(removed, ASSETS_AT_ONCE):
        list_theirs(())
        revert.bring_back(some)
    left = 0
    for some in chunked(assets, ASSETS_AT_ONCE):
        theirs = list_theirs(some)
        revert.take_back(theirs)
        left += len(some) - len(theirs)
    if left:
        run_log.warn(NOT_SEEN.format(plural(left, "asset")))
    revert.end()


def plan_revert(session: Session, run: SyncRun) -> list[AssetRevert]:
    """What `revert_run` would do, without doing it."""
    plans: list[AssetRevert] = []
    merges: Sequence[Merge] = ()
    clients = list_clients(session)
    if run.kind in (SyncKind.MAPPING, SyncKind.REVERT):  # no other maps an organization
        plans += plan_mappings(session, run.integration_id, run.id, clients)
    if run.kind is not SyncKind.MAPPING:  # that removes and merges none
        plans += _plan_returns(session, run)
        merges = list_merges(session, run)
    plans += preview_merges(session, run.id, merges)
    merged = set(list_assets_of(merges))
    others = [each for each in list_changed_assets(session, run.id) if each not in merged]
    plans += preview_reverts(session, run.id, others, clients)
    return plans


def _plan_returns(session: Session, run: SyncRun) -> Iterator[AssetRevert]:
    for ids in chunked(_list_removed(session, run.id), ASSETS_AT_ONCE):
        rows = session.scalars(
            select(RemovedAsset).where(RemovedAsset.id.in_(ids)).order_by(RemovedAsset.asset_id)
        ).all()
        obstacles = find_obstacles(session, run.integration_id, rows)
        yield from [_plan_return(row, obstacles.get(row.asset_id)) for row in rows]
        for row in rows:
            session.expunge(row)


def takes_from_tactical(session: Session, run: SyncRun) -> bool | None:
    """Whether taking this run back takes away what Tactical says; None where it only gives back
    what an earlier revert took, and False where it is no matter of Tactical's."""
    depth = 0
    while run.kind is SyncKind.REVERT and run.reverts_run_id is not None:
        earlier = session.get(SyncRun, run.reverts_run_id)
        if earlier is None:
            return None
        run, depth = earlier, depth + 1
    if run.kind not in FROM_TACTICAL:
        return False
    return None if depth % 2 else True


@dataclass
class _Revert:
    integration_id: int
    run_log: RunLog
    run_id: int
    """Of the run that is taken back."""
    takes: bool | None
    done: set[str]
    """Agents that an attempt before this one has seen to."""
    merges: Sequence[Merge]
    merged: set[int]
    """Ids of the assets of these, and of those that an attempt before this one has seen to."""

    @classmethod
    def begin(cls, integration_id: int, run_log: RunLog, run_id: int) -> _Revert:
        session = db.session()
        run = session.get_one(SyncRun, run_id)
        takes = takes_from_tactical(session, run)
        entries = SyncLogEntry.run_id == run_log.run_id
        done = set(session.scalars(select(SyncLogEntry.external_id).where(entries)))
        counts = session.execute(
            select(SyncLogEntry.action, func.count()).where(entries).group_by(SyncLogEntry.action)
        )
        run_log.counts = Counter({row[0]: row[1] for row in counts}) + Counter(seen=len(done))
        merges = [each for each in list_merges(session, run) if each.agent_id not in done]
        merged = {*list_assets_of(merges), *list_done(session, run_log.run_id)}
        release()
        return cls(integration_id, run_log, run_id, takes, done, merges, merged)

    def map_back(self) -> None:
        """First, so that no sync moves the assets there again."""
        with transaction() as session:
            clients = list_clients(session)
            found = plan_mappings(session, self.integration_id, self.run_id, clients, lock=True)
            plans = [plan for plan in found if plan.agent_id not in self.done]
            if plans:
                write_mappings(session, self.integration_id, plans)
                self._record(session, plans)

    def take_merge_back(self, merge: Merge) -> None:
        with transaction() as session:
            plan = take_back(session, merge, self.run_log.cause)
            self._record(session, [plan])
            if plan.action is RevertAction.UNCHANGED:
                return
            if merge.removed_id is None:
                self.run_log.note(session, [merge_entry(merge)])
                if self.takes is None:
                    release_held(session, self.integration_id, {merge.agent_id: None})
                return
            stored = self._take_both_back(session, merge)
            self.run_log.note(session, [merge_entry(merge, (each.revert for each in stored))])

    def _take_both_back(self, session: Session, merge: Merge) -> list[StoredRevert]:
        """What the run did to the two besides merging them, and have the sync keep them apart."""
        ids = sorted((merge.keep_id, merge.other_id))
        stored = [
            each
            for each in plan_reverts(session, self.run_id, ids, lock=True)
            if each.revert.action is not RevertAction.UNCHANGED or each.revert.kept
        ]
        other = session.get_one(Asset, merge.other_id)
        told = Held(merge.agent_id, other.id, other.name, MERGED, {SERIAL: other.serial_number})
        self._write_back(session, stored)
        is_there = session.get(Asset, merge.other_id, populate_existing=True) is not None
        if self.takes and is_there and told.values[SERIAL] is not None:
            hold(session, self.integration_id, self.run_log.run_id, [told])
            note_sightings(session, self.integration_id, {merge.agent_id: other.created_at})
        return stored

    def bring_back(self, removed_ids: Sequence[int]) -> None:
        with transaction() as session:
            rows = session.scalars(
                select(RemovedAsset)
                .where(RemovedAsset.id.in_(removed_ids))
                .order_by(RemovedAsset.asset_id)
                .with_for_update()
            ).all()
            obstacles = find_obstacles(session, self.integration_id, rows)
            free = [row for row in rows if row.asset_id not in obstacles]
            plans = [_plan_return(row, obstacles.get(row.asset_id)) for row in rows]
            self._record(session, plans)
            if not free:
                return
            bring_back(session, self.integration_id, free)
            changes = [
                ColumnChange(
                    row.asset_id,
                    ChangeAction.REVERTED,
                    after={"name": _name(row), "absent_since": to_json(row.removed_at)},
                )
                for row in free
            ]
            record_changes(session, self.run_log.cause, changes)
            agents = [row.snapshot["asset"][AGENT] for row in free]
            release_held(session, self.integration_id, dict.fromkeys(agents))
            for row in free:
                session.expunge(row)

    def take_back(self, asset_ids: Sequence[int]) -> None:
        with transaction() as session:
            stored = [
                each
                for each in plan_reverts(session, self.run_id, asset_ids, lock=True)
                if each.revert.agent_id not in self.done and each.asset["id"] not in self.merged
            ]
            self._write_back(session, stored)

    def _write_back(self, session: Session, stored: Sequence[StoredRevert]) -> None:
        self._record(session, [each.revert for each in stored])
        if self.takes:
            note_bereft(session, self.integration_id, stored)
        going = [each for each in stored if each.revert.action is RevertAction.REMOVED]
        if going:
            assets = [each.asset for each in going]
            remove_assets(session, self.integration_id, assets, self.run_log.run_id)
        cause, supersedes = self.run_log.cause, self.takes is not True
        write_changes(session, self.integration_id, stored, cause, supersedes)
        if self.takes:
            items = [item for each in stored if (item := _to_hold(each))]
            hold(session, self.integration_id, self.run_log.run_id, items)
        elif self.takes is None:
            release_held(session, self.integration_id, _list_given(stored))

    def end(self) -> None:
        """Have both runs name each other; what the run itself had taken back is done again. A run
        of which nothing went back can be undone still."""
        own_id, counts = self.run_log.run_id, self.run_log.counts
        did_something = any(
            counts[action] for action in set(RevertAction) - {RevertAction.UNCHANGED}
        )
        with transaction() as session:
            self.run_log.note(session, [])
            if did_something:
                its_run = update(SyncRun).where(SyncRun.id == self.run_id)
                count_changed(session, its_run.values(reverted_by_run_id=own_id))
                undone = update(SyncRun).where(SyncRun.reverted_by_run_id == self.run_id)
                count_changed(session, undone.values(reverted_by_run_id=None))
        if counts["skipped"]:
            self.run_log.end_as(RunStatus.PARTIAL)

    def _record(self, session: Session, plans: Iterable[AssetRevert]) -> None:
        counts: Counter[str] = Counter()
        entries: list[dict[str, Any]] = []
        for plan in plans:
            if plan.agent_id in self.done:
                continue
            own = _log(plan)
            entries += own
            counts.update(["seen", *(entry["action"] for entry in own)])
        self.run_log.record(session, counts, entries)


def _list_removed(session: Session, run_id: int) -> list[int]:
    """What the run removed and no asset has taken in, the newest first."""
    rows = select(RemovedAsset.id).where(
        RemovedAsset.run_id == run_id, RemovedAsset.into_asset_id.is_(None)
    )
    return list(session.scalars(rows.order_by(RemovedAsset.id.desc())))


def _log(plan: AssetRevert) -> list[dict[str, Any]]:
    """What goes back in one entry, what cannot in another."""
    entries = []
    if plan.action is not RevertAction.UNCHANGED:
        changes = {column: list(both) for column, both in plan.changes.items()} or None
        agent_id = plan.changes.get(AGENT, (None, plan.agent_id))[1]
        entries.append(log_entry(str(plan.action), agent_id, plan.name, changes=changes))
    if plan.kept:
        entries.append(log_entry("skipped", plan.agent_id, plan.name, " ".join(plan.kept)))
    return entries


def _plan_return(row: RemovedAsset, obstacle: str | None) -> AssetRevert:
    agent_id = row.snapshot.get("asset", {}).get(AGENT, "")
    if obstacle is not None:
        kept = [obstacle]
        return AssetRevert(row.asset_id, agent_id, _name(row), RevertAction.UNCHANGED, kept=kept)
    return AssetRevert(row.asset_id, agent_id, _name(row), RevertAction.CREATED)


def _name(row: RemovedAsset) -> str:
    name: str = row.snapshot.get("asset", {}).get("name", f"Asset {row.asset_id}")
    return name


def _to_hold(stored: StoredRevert) -> Held | None:
    """What of Tactical's is taken back, so that the next sync does not bring it again."""
    revert, asset = stored.revert, stored.asset
    if revert.action is RevertAction.REMOVED:
        values = {name: asset[name] for name in OF_AN_AGENT}
        return Held(revert.agent_id, None, revert.name, "created", values)
    if revert.action is RevertAction.RELINKED:
        values = {name: asset[name] for name in OF_AN_AGENT}
        return Held(asset[AGENT], None, revert.name, "relinked", values)
    values = {column: revert.changes[column][0] for column in _held_columns(revert)}
    if LISTED in values:
        values[LISTED] = values[LISTED] is not None
    if not values:
        return None
    return Held(revert.agent_id, revert.asset_id, revert.name, str(revert.action), values)


def _list_given(stored: Iterable[StoredRevert]) -> dict[str, list[str] | None]:
    """What is taken from Tactical again, by agent_id: columns, or all of an agent that gets its
    asset."""
    given: dict[str, list[str] | None] = {}
    for each in stored:
        revert = each.revert
        if AGENT in revert.changes:
            given[revert.changes[AGENT][1]] = None
        elif columns := _held_columns(revert):
            given[revert.agent_id] = columns
    return given


def _held_columns(revert: AssetRevert) -> list[str]:
    return [column for column in revert.changes if column in _TACTICALS or column == MISSING]
