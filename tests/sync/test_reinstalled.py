"""A computer whose agent is installed anew keeps its asset; what is ambiguous waits or is asked."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import (
    AgentSighting,
    Alert,
    Asset,
    AssetChange,
    AssetConflict,
    AssetSoftware,
    SupersededAgent,
    SyncPlanRow,
)
from portal.models.assets.change import ChangeAction
from portal.models.assets.conflict import Settlement
from portal.models.events.event import EventType
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets import edits
from portal.services.assets.edits import AssetEdit
from portal.services.runs.plans import apply_to_end, find_plan_of_run
from tests.assets.tables import change
from tests.events.conftest import events
from tests.support.msp import Msp, counted

SOURCES = [InventorySource.BETA, InventorySource.DASHBOARD]
pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.mainly("postgresql")]


def pick(msp: Msp, number: int = 0) -> str:
    """The agent of a computer that is known by a serial number."""
    agent = msp.agents[number]
    msp.tactical.control.computers.new_board(agent, f"5CG8241KL{number}")
    msp.tactical.control.agents.edit(agent_id=agent, checkin=0)
    return agent


def silence(msp: Msp, agent_id: str, minutes: float = 60) -> None:
    msp.tactical.control.agents.seen(agent_id=agent_id, seconds_ago=minutes * 60)


def asset_of(agent_id: str) -> Asset:
    [asset] = all_of(Asset, rmm_device_id=agent_id)
    found: Asset = asset
    return found


def all_of(table: type[Any], **columns: Any) -> list[Any]:
    db.session.remove()
    found = list(db.session.scalars(select(table).filter_by(**columns).order_by(table.id)))
    db.session.expunge_all()
    return found


def reinstall(msp: Msp, agent_id: str, **how: Any) -> str:
    """Of a computer that has been silent for an hour."""
    silence(msp, agent_id)
    new: str = msp.tactical.control.computers.reinstall(agent_id, **how)
    return new


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("keep", [True, False], ids=["still listed", "deleted"])
def test_it_keeps_its_asset_with_all_that_it_has(
    msp: Msp, source: InventorySource, keep: bool
) -> None:
    msp.import_fleet(inventory_source=source)
    old = pick(msp)
    msp.sync()
    msp.tactical.control.alerts.add(agent_id=old, message="Before")
    msp.sync(SyncKind.ALERTS)
    msp.sync(SyncKind.SOFTWARE)
    before, software = asset_of(old), len(all_of(AssetSoftware, asset_id=asset_of(old).id))
    edit = AssetEdit("Reception", "By the door", before.asset_type, before.client_id)
    edits.edit_asset(before.id, edit)
    new = reinstall(msp, old, keep=keep, hostname="NEW-NAME")
    run = msp.sync()
    assert run.status is RunStatus.SUCCESS
    assert counted(run) == {"seen": 12 + keep, "unchanged": 11 + keep, "relinked": 1}
    after = asset_of(new)
    assert (after.id, after.name, after.missing_since) == (before.id, "Reception", None)
    [superseded] = all_of(SupersededAgent)
    assert (superseded.agent_id, superseded.asset_id, superseded.run_id) == (old, before.id, run.id)
    changes = all_of(AssetChange, asset_id=before.id, run_id=run.id)
    first = changes[0]
    assert (first.action, first.column, first.before, first.after) == (
        ChangeAction.RELINKED, "rmm_device_id", old, new,
    )  # fmt: skip
    [entry] = msp.log(run, "relinked")
    assert "5CG8241KL0" in str(entry.reason)
    assert entry.changes is not None
    assert entry.changes["rmm_device_id"] == [old, new]
    assert entry.changes["evidence"]["assets"][0]["asset_id"] == before.id
    silent = {"skipped": 1} if keep else {}
    assert counted(msp.sync()) == {"seen": 12 + keep, "unchanged": 12} | silent
    assert len(msp.assets()) == 12
    msp.sync(SyncKind.SOFTWARE)
    [alert] = all_of(Alert, asset_id=before.id)
    assert alert.message == "Before"
    assert len(all_of(AssetSoftware, asset_id=before.id)) == software > 0
    assert all_of(AgentSighting) == []


@pytest.mark.one_database
def test_a_superseded_agent_that_is_deleted_later_changes_nothing(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    new = reinstall(msp, old)
    assert msp.sync().relinked == 1
    before, superseded = asset_of(new).id, len(all_of(SupersededAgent))
    msp.tactical.control.agents.remove(old)
    assert counted(msp.sync()) == {"seen": 12, "unchanged": 12}
    assert (asset_of(new).id, len(all_of(SupersededAgent))) == (before, superseded)
    assert not all_of(AssetConflict, settled_at=None)


@pytest.mark.one_database
def test_a_clone_is_asked_about_and_watched_meanwhile(msp: Msp) -> None:
    msp.import_fleet()
    first = pick(msp)
    msp.sync()
    clone = msp.tactical.control.computers.clone(first)
    run = msp.sync()
    # Whether the first one goes silent is not known yet.
    assert counted(run) == {"seen": 13, "unchanged": 12, "waiting": 1}
    assert clone not in msp.assets()
    msp.tactical.control.server.advance(seconds=180)
    run = msp.sync()
    assert (run.created, run.conflicts) == (1, 1)
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id, conflict.run_id) == ("clone", clone, run.id)
    assert conflict.asset_id == asset_of(clone).id
    assert conflict.other_asset_id == asset_of(first).id
    assert conflict.evidence["assets"][0]["asset_id"] == conflict.other_asset_id
    [entry] = msp.log(run, "conflict")
    assert entry.reason == conflict.reason
    assert msp.sync().conflicts == 0
    assert len(all_of(AssetConflict)) == 1
    # The clone is deleted: nothing is to be asked any more.
    msp.tactical.control.agents.remove(agent_id=clone)
    msp.sync()
    [conflict] = all_of(AssetConflict)
    assert conflict.settled_as is Settlement.GONE


@pytest.mark.one_database
def test_the_old_agent_is_still_online_so_the_next_look_decides(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = msp.tactical.control.computers.reinstall(old)  # a minute ago it was online
    run = msp.sync()
    assert counted(run) == {"seen": 13, "unchanged": 12, "waiting": 1}
    [entry] = msp.log(run, "waiting")
    assert entry.external_id == new
    assert "may still be online" in str(entry.reason)
    [sighting] = all_of(AgentSighting)
    assert sighting.agent_id == new
    msp.tactical.control.server.advance(seconds=600)
    assert msp.sync().relinked == 1
    assert asset_of(new).id == before.id
    assert all_of(AgentSighting) == []


def test_an_agent_that_waits_for_an_hour_is_asked_about(msp: Msp) -> None:
    """Its old agent has so long a limit that it counts as online."""
    msp.import_fleet()
    old = pick(msp)
    msp.tactical.control.agents.edit(agent_id=old, offline_time=600, overdue_time=900)
    msp.sync()
    new = msp.tactical.control.computers.reinstall(old)
    assert msp.sync().waiting == 1
    msp.tactical.control.server.advance(seconds=3700)
    run = msp.sync()
    assert (run.created, run.conflicts, run.waiting) == (1, 1, 0)
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id) == ("still_online", new)


def test_a_superseded_agent_that_checks_in_again_is_asked_about(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = reinstall(msp, old)
    assert msp.sync().relinked == 1
    msp.sync(SyncKind.STATUS)
    assert asset_of(new).id == before.id
    msp.tactical.control.server.advance(seconds=120)
    msp.tactical.control.agents.edit(agent_id=old, checkin=0)
    run = msp.sync()
    assert (run.created, run.conflicts) == (1, 1)
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id) == ("revived", old)
    assert (conflict.asset_id, conflict.other_asset_id) == (asset_of(old).id, before.id)
    [superseded] = all_of(SupersededAgent)
    assert superseded.revived_at is not None
    assert counted(msp.sync()) == {"seen": 13, "unchanged": 13}


def test_several_with_one_serial_number_are_asked_about(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    silence(msp, old)
    new = [msp.tactical.control.computers.clone(old) for _ in range(2)]
    run = msp.sync()
    assert (run.created, run.conflicts, run.relinked) == (2, 2, 0)
    found = all_of(AssetConflict)
    assert {(each.kind, each.agent_id) for each in found} == {("several", each) for each in new}


def test_two_new_agents_with_one_serial_number_are_suggested(msp: Msp) -> None:
    msp.import_fleet(page_size=10)
    site = msp.truth(msp.agents[0])["site_pk"]
    first = msp.tactical.control.agents.add(site=site, plat="windows")
    msp.tactical.control.computers.new_board(first, "5CG8241KLM")
    second = msp.tactical.control.computers.clone(first)
    run = msp.sync()
    assert (run.created, run.conflicts) == (2, 0)
    [question] = all_of(AssetConflict)
    assert (question.kind, question.agent_id) == ("same_serial", second)
    assert question.asset_id == asset_of(second).id
    assert question.other_asset_id == asset_of(first).id


@pytest.mark.one_database
def test_a_list_that_is_not_complete_decides_nothing(msp: Msp) -> None:
    msp.import_fleet(inventory_source=InventorySource.DASHBOARD)
    old = pick(msp)
    msp.sync()
    before = asset_of(old)
    new = reinstall(msp, old, keep=False)
    broken = msp.tactical.control.agents.ids()[-2]
    if msp.truth(broken)["site_pk"] == msp.truth(new)["site_pk"]:
        pytest.fail("Both live at one site.")
    msp.tactical.control.agents.edit(agent_id=broken, wmi_patch={"network_config": None})
    run = msp.sync()
    assert run.status is RunStatus.PARTIAL
    assert (run.waiting, run.relinked, run.created, run.missing) == (1, 0, 0, 0)
    assert asset_of(old).id == before.id
    assert [each.agent_id for each in all_of(AgentSighting)] == [new]


@pytest.mark.one_database
def test_a_preview_lists_it_and_writes_nothing_and_it_can_be_applied(msp: Msp) -> None:
    msp.import_fleet()
    old, other = pick(msp), pick(msp, 1)
    silence(msp, old)
    msp.sync()
    before = asset_of(old)
    new = reinstall(msp, old)
    clones = [msp.tactical.control.computers.clone(other) for _ in range(2)]
    run = msp.sync(SyncKind.PREVIEW)
    plan = find_plan_of_run(run.id)
    assert plan is not None
    rows = {row.agent_id: row for row in all_of(SyncPlanRow, plan_id=plan.id)}
    assert {id: str(row.action) for id, row in rows.items()} == {
        new: "relink",
        clones[0]: "conflict",
        clones[1]: "conflict",
    }
    assert rows[new].changes["rmm_device_id"] == [old, new]
    assert all_of(AgentSighting) == all_of(AssetConflict) == []
    applied = apply_to_end(plan.id, only=[new, clones[0]])
    assert (applied.relinked, applied.created, applied.conflicts) == (1, 1, 1)
    assert asset_of(new).id == before.id
    assert [each.agent_id for each in all_of(AssetConflict)] == [clones[0]]


@pytest.mark.fleet(agents=24)
def test_too_many_at_once_are_held_and_can_be_applied(msp: Msp) -> None:
    msp.import_fleet()
    olds = [pick(msp, number) for number in range(8)]
    msp.sync()
    before = {old: asset_of(old).id for old in olds}
    news = {reinstall(msp, old, keep=False): old for old in olds}
    run = msp.sync()
    assert run.status is RunStatus.HELD
    assert (run.relinked, run.missing, run.waiting) == (0, 0, 8)
    plan = find_plan_of_run(run.id)
    assert plan is not None
    rows = all_of(SyncPlanRow, plan_id=plan.id)
    assert {(str(row.action), row.agent_id) for row in rows} == {("relink", new) for new in news}
    assert apply_to_end(plan.id).relinked == 8
    assert {new: asset_of(new).id for new in news} == {
        new: before[old] for new, old in news.items()
    }


@pytest.mark.one_database
def test_no_history_of_a_serial_number_that_is_none(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.tactical.control.computers.new_board(old, "To be filled by O.E.M.")
    msp.sync()
    new = reinstall(msp, old)
    run = msp.sync()
    assert (run.created, run.relinked) == (1, 0)
    assert asset_of(new).id != asset_of(old).id


@pytest.mark.one_database
def test_a_retired_asset_is_in_use_again_and_whoever_listens_is_told(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    asset = asset_of(old)
    change(asset.id, missing_since=utc_now(), retired_at=utc_now(), absent_runs=9)
    new = reinstall(msp, old, keep=False)
    assert msp.sync().relinked == 1
    after = asset_of(new)
    assert (after.id, after.missing_since, after.retired_at) == (asset.id, None, None)
    [told] = events(EventType.DEVICE_RESTORED)
    assert (told.payload["asset_id"], told.payload["rmm_device_id"]) == (asset.id, new)
