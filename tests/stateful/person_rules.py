"""What people decide about assets, and take back: whatever they take back is as it was before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import func, or_, select

from portal.db import db
from portal.errors import Refused
from portal.models import Asset, AssetChange, AssetConflict, SupersededAgent, SyncRun
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.choosing import Chosen
from portal.services.assets.edits import AssetEdit, edit_asset
from portal.services.assets.merge import merge_assets
from portal.services.assets.retirement import restore_assets, retire_assets
from portal.services.conflicts.listing import list_choices
from portal.services.conflicts.settling import settle_conflict
from portal.services.runs.reverts import find_obstacle, revert_to_end
from tests.stateful.checks import check_kept, check_not_merged
from tests.stateful.portal_rules import PortalRules
from tests.stateful.tables import differences, dump
from tests.stateful.tactical_rules import numbers
from tests.stateful.world import pick

Done = TypeVar("Done")

A_FEW = 5
"""Of the last runs: what was long ago has mostly been changed since."""


class PersonRules(PortalRules):
    def decide(self, do: Callable[[], Done], note: Callable[[Done], None]) -> Done | None:
        """What it returns, noted before that is looked at; None where it was refused, and then
        nothing is written."""
        before = dump(self.world.msp.id, looks=True)
        try:
            with self.world.noting_exports():
                done = do()
        except Refused:
            db.session.rollback()
            assert differences(before, dump(self.world.msp.id, looks=True)) == []
            return None
        note(done)
        check_kept(before, dump(self.world.msp.id))
        check_not_merged(self.world)
        return done

    @rule(number=numbers, other=numbers)
    def merge(self, number: int, other: int) -> None:
        assets = _list_ids(select(Asset.id).order_by(Asset.id))
        if len(assets) > 1:
            keep_id = assets.pop(number % len(assets))
            other_id = pick(other, assets)
            together = self._computers_of(keep_id, other_id)
            self.decide(
                lambda: merge_assets(keep_id, other_id),
                lambda run: self._note_joined(run, together),
            )

    @rule(number=numbers, choice=numbers)
    def settle(self, number: int, choice: int) -> None:
        is_open = AssetConflict.settled_at.is_(None)
        conflicts = list(db.session.scalars(select(AssetConflict).where(is_open)))
        if not conflicts:
            return
        conflict = pick(number, conflicts)
        settlement = pick(choice, list_choices(conflict))
        together = set[str]()
        if settlement in (Settlement.RELINK, Settlement.MERGE):
            together = self._computers_of(conflict.asset_id, conflict.other_asset_id)
            together |= set(self.world.computers(conflict.agent_id))
        conflict_id = conflict.id
        db.session.rollback()
        self.decide(
            lambda: settle_conflict(conflict_id, settlement),
            lambda run: self._note_joined(run, together),
        )

    @rule(number=numbers)
    def retire(self, number: int) -> None:
        missing = select(Asset.id).where(
            Asset.missing_since.is_not(None), Asset.retired_at.is_(None)
        )
        if found := _list_ids(missing.order_by(Asset.id)):
            self.decide(lambda: retire_assets(Chosen([pick(number, found)])), _note_nothing)

    @rule(number=numbers)
    def restore(self, number: int) -> None:
        retired = select(Asset.id).where(Asset.retired_at.is_not(None)).order_by(Asset.id)
        if found := _list_ids(retired):
            self.decide(lambda: restore_assets(Chosen([pick(number, found)])), _note_nothing)

    @rule(number=numbers, name=st.sampled_from(["DESK", "TILL"]))
    def edit(self, number: int, name: str) -> None:
        if found := _list_ids(select(Asset.id).order_by(Asset.id)):
            asset = db.session.get_one(Asset, pick(number, found))
            edit = AssetEdit(name, asset.description or "", asset.asset_type, asset.client_id)
            asset_id = asset.id
            db.session.rollback()
            edit_asset(asset_id, edit)

    @rule(number=st.integers(0, A_FEW - 1))
    def revert(self, number: int) -> None:
        if run := self._pick_revertible(lambda _run: True, number):
            self._revert(run)

    @rule(number=st.integers(0, A_FEW - 1))
    def revert_a_revert(self, number: int) -> None:
        if run := self._pick_revertible(lambda run: run.kind is SyncKind.REVERT, number):
            self._revert(run)

    @rule(number=st.integers(0, 1))
    def revert_and_go_on(self, number: int) -> None:
        """The next sync leaves it so; and it can be taken back that it was taken back."""
        run = self._pick_revertible(lambda _run: True, number)
        if run is None:
            return
        self._revert(run)
        self.sync_and_check()
        self.revert_a_revert(0)

    def _pick_revertible(self, fits: Callable[[SyncRun], bool], number: int) -> SyncRun | None:
        noted = SyncRun.id.in_(self.world.exports)
        runs = db.session.scalars(select(SyncRun).where(noted).order_by(SyncRun.id.desc())).all()
        found = [run for run in runs if fits(run) and find_obstacle(run) is None][:A_FEW]
        db.session.expunge_all()
        db.session.rollback()
        return pick(number, found) if found else None

    def _revert(self, run: SyncRun) -> None:
        before, after = self.world.exports[run.id]
        is_as_left = after == self.world.exported() and not _changed_since(run)
        done = self.decide(
            lambda: revert_to_end(run.id), lambda done: self._note_reverted(run, done)
        )
        assert done is not None
        assert done.status in (RunStatus.SUCCESS, RunStatus.PARTIAL), done.error
        if is_as_left:
            assert done.status is RunStatus.SUCCESS, [
                (entry.name, entry.reason) for entry in self.world.msp.log(done, "skipped")
            ]
            told = differences(before, self.world.exported())
            assert not told, told

    def _note_joined(self, run: SyncRun | None, computers: set[str]) -> None:
        if run is not None and computers:
            self.world.joined[run.id] = computers

    def _note_reverted(self, run: SyncRun, done: SyncRun) -> None:
        """What was joined by a person and is apart again, or was joined anew."""
        if done.status is not RunStatus.SUCCESS:
            return
        world = self.world
        if run.id in world.joined:
            world.parted[done.id] = world.joined.pop(run.id)
        elif run.id in world.parted:
            world.joined[done.id] = world.parted.pop(run.id)

    def _computers_of(self, *asset_ids: int | None) -> set[str]:
        agents = set(db.session.scalars(select(Asset.rmm_device_id).where(Asset.id.in_(asset_ids))))
        superseded = select(SupersededAgent.agent_id)
        agents |= set(db.session.scalars(superseded.where(SupersededAgent.asset_id.in_(asset_ids))))
        db.session.rollback()
        return {each for agent_id in agents for each in self.world.computers(agent_id)}


def _note_nothing(_done: object) -> None:
    pass


def _changed_since(run: SyncRun) -> bool:
    """Whether somebody else has changed an asset since the run began to."""
    own = select(func.min(AssetChange.id)).where(AssetChange.run_id == run.id).scalar_subquery()
    others = or_(AssetChange.run_id.is_(None), AssetChange.run_id != run.id)
    found = db.session.scalar(select(func.count()).where(AssetChange.id > own, others))
    db.session.rollback()
    return bool(found)


def _list_ids(query: Any) -> list[int]:
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found
