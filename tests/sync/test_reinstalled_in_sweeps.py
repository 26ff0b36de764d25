"""A status sweep notes agents without an asset, and decides about those that wait."""

from __future__ import annotations

import pytest

from portal.models import AgentSighting, AssetConflict, SupersededAgent
from portal.models.runs.sync_run import SyncKind
from tests.support.msp import Msp, counted
from tests.sync.test_reinstalled import all_of, asset_of, pick, silence

pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.mainly("postgresql")]


@pytest.mark.one_database
def test_a_sweep_notes_agents_without_an_asset_until_they_have_one(msp: Msp) -> None:
    msp.import_fleet()
    new = msp.tactical.control.agents.add(site=msp.truth(msp.agents[0])["site_pk"])
    msp.sync(SyncKind.STATUS)
    [first] = all_of(AgentSighting)
    assert first.agent_id == new
    run = msp.sync(SyncKind.STATUS)
    assert counted(run) == {"seen": 13, "unchanged": 12, "skipped": 1}
    [again] = all_of(AgentSighting)
    assert again.first_listed_at == first.first_listed_at < again.last_listed_at
    assert msp.sync().created == 1
    assert all_of(AgentSighting) == []


@pytest.mark.one_database
def test_a_clone_that_a_sweep_saw_beside_its_original_is_none_by_night(msp: Msp) -> None:
    msp.import_fleet()
    original = pick(msp)
    msp.sync()
    clone = msp.tactical.control.computers.clone(original)
    msp.sync(SyncKind.STATUS)
    msp.tactical.control.server.advance(300)
    msp.sync(SyncKind.STATUS)  # now the original was seen since
    msp.tactical.control.server.advance(12 * 3600)
    silence(msp, original, 600)
    run = msp.sync()
    assert (run.relinked, run.created, run.conflicts) == (0, 0, 0)
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id) == ("clone", clone)


@pytest.mark.one_database
def test_a_sweep_gives_the_asset_back(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = msp.tactical.control.computers.reinstall(old, hostname="NEW-NAME")
    assert msp.sync().waiting == 1
    run = msp.sync(SyncKind.STATUS)
    assert counted(run) == {"seen": 13, "unchanged": 12, "waiting": 1}
    msp.tactical.control.server.advance(600)
    run = msp.sync(SyncKind.STATUS)
    assert (run.relinked, run.waiting, run.skipped) == (1, 0, 0)
    after = asset_of(new)
    assert (after.id, after.name, after.serial_number) == (before.id, "NEW-NAME", "5CG8241KL0")
    assert [each.agent_id for each in all_of(SupersededAgent)] == [old]
    assert all_of(AgentSighting) == []
    assert msp.sync().updated == 1  # the limits, which sweeps do not read
    assert counted(msp.sync()) == {"seen": 13, "unchanged": 12, "skipped": 1}


@pytest.mark.one_database
def test_a_sweep_asks_after_an_hour(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.tactical.control.agents.edit(agent_id=old, offline_time=600, overdue_time=900)
    msp.sync()
    new = msp.tactical.control.computers.reinstall(old)
    msp.sync(SyncKind.STATUS)
    msp.tactical.control.server.advance(3700)
    run = msp.sync(SyncKind.STATUS)
    assert (run.created, run.conflicts) == (1, 1)
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id) == ("still_online", new)
    assert conflict.asset_id == asset_of(new).id


@pytest.mark.one_database
def test_a_sweep_finds_a_superseded_agent_that_checks_in_again(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    silence(msp, old)
    new = msp.tactical.control.computers.reinstall(old)
    assert msp.sync().relinked == 1
    assert counted(msp.sync(SyncKind.STATUS)) == {"seen": 13, "unchanged": 12, "skipped": 1}
    msp.tactical.control.server.advance(120)
    msp.tactical.control.agents.edit(agent_id=old, checkin=0)
    run = msp.sync(SyncKind.STATUS)
    assert counted(run) == {"seen": 13, "unchanged": 12, "created": 1, "conflicts": 1}
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id) == ("revived", old)
    assert (conflict.asset_id, conflict.other_asset_id) == (asset_of(old).id, before.id)
    assert asset_of(new).id == before.id
    assert counted(msp.sync(SyncKind.STATUS)) == {"seen": 13, "unchanged": 13}


def test_a_sweep_that_leaves_rows_out_decides_nothing(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    silence(msp, old)
    msp.tactical.control.computers.reinstall(old, keep=False)
    msp.sync(SyncKind.STATUS)
    msp.tactical.control.faults.add(kind="fewer_rows", path="/agents/", times=1, size=1)
    run = msp.sync(SyncKind.STATUS)
    assert (run.relinked, run.created, run.waiting) == (0, 0, 0)
    assert msp.sync(SyncKind.STATUS).relinked == 1


@pytest.mark.fleet(agents=24)
def test_the_brake_holds_for_sweeps_too(msp: Msp) -> None:
    msp.import_fleet()
    olds = [pick(msp, number) for number in range(8)]
    msp.sync()
    for old in olds:
        silence(msp, old)
        msp.tactical.control.computers.reinstall(old, keep=False)
    msp.sync(SyncKind.STATUS)
    run = msp.sync(SyncKind.STATUS)
    assert (run.relinked, run.waiting) == (0, 8)
    assert len(all_of(AgentSighting)) == 8


def test_a_refresh_of_one_agent_waits_for_the_list(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    silence(msp, old)
    new = msp.tactical.control.computers.reinstall(old)
    run = msp.sync_agent(new)
    assert counted(run) == {"seen": 1, "waiting": 1}
    assert [each.agent_id for each in all_of(AgentSighting)] == [new]
    assert msp.sync().relinked == 1
    assert counted(msp.sync_agent(old)) == {"seen": 1, "skipped": 1}
    assert counted(msp.sync_agent(new)) == {"seen": 1, "unchanged": 1}
