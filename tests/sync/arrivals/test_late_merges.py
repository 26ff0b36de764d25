"""Assets of one computer whose serial number came in late become one by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import AgentSighting, AssetConflict, RemovedAsset, SupersededAgent, SyncPlanRow
from portal.models.assets.conflict import Settlement
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets import edits
from portal.services.assets.edits import AssetEdit
from portal.services.runs.plans import apply_to_end, find_plan_of_run
from portal.sync.devices.merging.merge import merge_into
from portal.sync.devices.writers import merges
from tests.support.msp import Msp, counted
from tests.sync.test_reinstalled import SOURCES, all_of, asset_of, pick, silence

pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.mainly("postgresql")]


def come_back_bare(msp: Msp, old: str, minutes: float = 60, keep: bool = True) -> str:
    """Its computer was installed anew and has an asset of its own: its hardware is not told yet."""
    if minutes:
        silence(msp, old, minutes)
    new: str = msp.tactical.control.computers.reinstall(old, hardware=False, keep=keep)
    assert msp.sync().created == 1
    return new


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("keep", [True, False], ids=["still listed", "deleted"])
def test_the_younger_asset_goes_into_the_older(
    msp: Msp, source: InventorySource, keep: bool
) -> None:
    msp.import_fleet(inventory_source=source)
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = come_back_bare(msp, old, keep=keep)
    younger = asset_of(new)
    msp.tactical.control.computers.report(new)
    run = msp.sync()
    assert (run.status, run.relinked, run.conflicts, run.missing) == (RunStatus.SUCCESS, 1, 0, 0)
    after = asset_of(new)
    assert (after.id, after.serial_number) == (before.id, "5CG8241KL0")
    [removed] = all_of(RemovedAsset)
    assert (removed.asset_id, removed.into_asset_id, removed.run_id) == (
        younger.id, before.id, run.id,
    )  # fmt: skip
    [superseded] = all_of(SupersededAgent)
    assert (superseded.agent_id, superseded.asset_id) == (old, before.id)
    [entry] = msp.log(run, "relinked")
    assert "Both become one asset" in str(entry.reason)
    assert entry.changes is not None
    assert entry.changes["rmm_device_id"] == [old, new]
    assert all_of(AgentSighting) == []
    [suggestion] = all_of(AssetConflict)  # by the host name, before the serial number was told
    assert (suggestion.kind, suggestion.settled_as) == ("same_name", Settlement.MERGE)
    silent = {"skipped": 1} if keep else {}
    assert counted(msp.sync()) == {"seen": 12 + keep, "unchanged": 12} | silent


def test_who_edited_the_younger_is_asked(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    new = come_back_bare(msp, old)
    own = asset_of(new)
    edit = AssetEdit("Reception", own.description or "", own.asset_type, own.client_id)
    edits.edit_asset(own.id, edit)
    edits.release_field(own.id, "name")
    msp.tactical.control.computers.report(new)
    run = msp.sync()
    assert (run.relinked, run.conflicts) == (0, 1)
    [question] = all_of(AssetConflict)
    assert (question.kind, question.asset_id) == ("edited", own.id)
    assert question.other_asset_id == asset_of(old).id
    assert msp.sync().conflicts == 0


@pytest.mark.parametrize("kind", [SyncKind.DEVICES, SyncKind.STATUS])
def test_it_waits_until_the_old_agent_is_offline(msp: Msp, kind: SyncKind) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = come_back_bare(msp, old, minutes=0)
    msp.tactical.control.computers.report(new)
    run = msp.sync()
    assert (run.waiting, run.relinked, run.conflicts) == (1, 0, 0)
    [entry] = msp.log(run, "waiting")
    assert entry.external_id == new
    assert asset_of(new).serial_number == "5CG8241KL0"
    assert msp.sync(kind).waiting == 1
    msp.tactical.control.server.advance(seconds=600)
    run = msp.sync(kind)
    assert (run.waiting, run.relinked, run.skipped) == (0, 1, 0)
    assert asset_of(new).id == before.id
    assert all_of(AgentSighting) == []


def test_one_that_waits_for_an_hour_is_asked_about(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.tactical.control.agents.edit(agent_id=old, offline_time=600, overdue_time=900)
    msp.sync()
    new = come_back_bare(msp, old, minutes=0)
    msp.tactical.control.computers.report(new)
    assert msp.sync().waiting == 1
    msp.tactical.control.server.advance(seconds=3700)
    run = msp.sync(SyncKind.STATUS)
    assert (run.waiting, run.relinked, run.conflicts) == (0, 0, 1)
    [question] = all_of(AssetConflict)
    assert (question.kind, question.asset_id) == ("still_online", asset_of(new).id)
    assert msp.sync().conflicts == msp.sync(SyncKind.STATUS).conflicts == 0


@pytest.mark.one_database
def test_a_list_that_is_not_complete_leaves_it_open(msp: Msp) -> None:
    msp.import_fleet(inventory_source=InventorySource.DASHBOARD)
    old = pick(msp)
    msp.sync()
    new = come_back_bare(msp, old)
    msp.tactical.control.computers.report(new)
    msp.tactical.control.faults.add("fewer_rows", "/agents/", size=1, times=None)
    run = msp.sync()
    assert (run.status, run.relinked, run.conflicts) == (RunStatus.PARTIAL, 0, 0)
    msp.tactical.control.faults.clear()
    assert msp.sync().relinked == 1


def test_a_preview_lists_it_and_writes_nothing_and_it_can_be_applied(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = come_back_bare(msp, old)
    msp.tactical.control.computers.report(new)
    plan = find_plan_of_run(msp.sync(SyncKind.PREVIEW).id)
    assert plan is not None
    rows = all_of(SyncPlanRow, plan_id=plan.id, agent_id=new)
    assert [str(row.action) for row in rows] == ["update", "relink"]
    assert rows[1].changes == {"rmm_device_id": [old, new]}
    assert all_of(AgentSighting) == all_of(RemovedAsset) == []
    assert apply_to_end(plan.id).relinked == 1
    assert {row.outcome for row in all_of(SyncPlanRow, plan_id=plan.id)} == {"Applied."}
    assert asset_of(new).id == before.id


@pytest.mark.fleet(agents=24)
def test_too_many_at_once_are_held_and_can_be_applied(msp: Msp) -> None:
    msp.import_fleet(brake_assets=1, brake_percent=1)
    olds = [pick(msp, number) for number in range(2)]
    msp.sync()
    before = {asset_of(old).id for old in olds}
    news = [come_back_bare(msp, old) for old in olds]
    for new in news:
        msp.tactical.control.computers.report(new)
    run = msp.sync()
    assert (run.status, run.relinked, run.waiting) == (RunStatus.HELD, 0, 2)
    assert msp.sync(SyncKind.STATUS).relinked == 0
    plan = find_plan_of_run(run.id)
    assert plan is not None
    assert apply_to_end(plan.id).relinked == 2
    assert {asset_of(new).id for new in news} == before


def test_a_pair_that_cannot_be_merged_costs_itself_alone(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person takes one of the two away between the look and the merge."""
    msp.import_fleet()
    olds = [pick(msp, number) for number in range(2)]
    msp.sync()
    news = [come_back_bare(msp, old) for old in olds]
    for new in news:
        msp.tactical.control.computers.report(new)
    gone = asset_of(news[0]).id

    def lose_one(session: Any, keep_id: int, other_id: int, *args: Any, **how: Any) -> RemovedAsset:
        return merge_into(session, keep_id, 0 if other_id == gone else other_id, *args, **how)

    monkeypatch.setattr(merges, "merge_into", lose_one)
    run = msp.sync()
    assert run.relinked == 1
    [note] = msp.log(run, "note")
    assert (note.external_id, "was not merged" in str(note.reason)) == (news[0], True)
    monkeypatch.undo()
    assert msp.sync().relinked == 1
