"""Taking back what a run did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import Alert, Asset, AssetConflict, AssetSoftware, SupersededAgent, SyncRun
from portal.models.assets.conflict import Settlement
from portal.models.runs.revert_action import RevertAction
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.edits import AssetEdit, edit_asset
from portal.services.conflicts.settling import settle_conflict
from portal.services.organizations import mapping
from portal.services.runs import history
from portal.services.runs.history import get_run
from portal.services.runs.revert_previews import preview_revert
from portal.services.runs.reverts import revert_to_end
from portal.sync.devices.merging.merge import merge_into
from portal.sync.runs.person_runs import add_person_run, cause_of
from tests.support.msp import Msp, counted

pytestmark = pytest.mark.mainly("postgresql")

LOOKS = (
    "agent_status",
    "status_as_of",
    "status_stale",
    "last_seen_at",
    "last_rmm_sync_at",
    "uptime_seconds",
    "boot_time",
)
"""What each look moves: no run takes that back."""


def exported(msp: Msp) -> dict[str, dict[str, Any]]:
    return {
        agent_id: {name: value for name, value in row.items() if name not in LOOKS}
        for agent_id, row in msp.assets().items()
    }


def revert(run: SyncRun) -> SyncRun:
    made = revert_to_end(run.id)
    db.session.rollback()
    return made


def change_the_fleet(msp: Msp) -> None:
    """Something of each kind."""
    agents = msp.tactical.control.agents
    renamed, moved, removed, described = msp.agents[:4]
    agents.edit(agent_id=renamed, hostname="RENAMED-1")
    agents.edit(agent_id=described, description="Front desk")
    agents.move(agent_id=moved, site=msp.sites_of_others(moved)[0]["site_pk"])
    agents.remove(agent_id=removed)
    agents.add(hostname="NEW-1", site=msp.truth(renamed)["site_pk"])


def test_an_undone_sync_leaves_what_was_before(msp: Msp) -> None:
    msp.import_fleet()
    before = exported(msp)
    change_the_fleet(msp)
    run = msp.sync()
    assert run.status is RunStatus.SUCCESS
    after = exported(msp)
    assert after != before
    undone = revert(run)
    assert undone.status is RunStatus.SUCCESS
    assert exported(msp) == before
    assert (undone.kind, undone.reverts_run_id) == (SyncKind.REVERT, run.id)
    assert get_run(run.id).reverted_by_run_id == undone.id
    assert counted(undone) == {"seen": 5, "updated": 3, "moved": 1, "removed": 1}

    again = msp.sync()
    assert exported(msp) == before, "the next sync does not do it again"
    assert not {"created", "updated", "moved", "missing", "relinked"} & counted(again).keys()

    redone = revert(undone)
    assert exported(msp) == after
    assert redone.status is RunStatus.SUCCESS
    assert get_run(run.id).reverted_by_run_id is None
    assert not {"created", "updated", "moved", "missing"} & counted(msp.sync()).keys()
    assert exported(msp) == after


@pytest.mark.one_database
def test_what_somebody_changed_since_stays_and_is_named(msp: Msp) -> None:
    msp.import_fleet()
    agents = msp.tactical.control.agents
    mine, theirs = msp.agents[:2]
    for agent_id in (mine, theirs):
        agents.edit(agent_id=agent_id, hostname=f"NAME-{agent_id[:4]}", description="By Tactical")
    run = msp.sync()
    asset = db.session.query(Asset).filter_by(rmm_device_id=mine).one()
    edit_asset(
        asset.id,
        AssetEdit("Reception", asset.description or "", asset.asset_type, asset.client_id),
        None,
    )
    db.session.rollback()
    undone = revert(run)
    assert undone.status is RunStatus.PARTIAL
    [left] = msp.log(undone, "skipped")
    assert left.external_id == mine
    assert "name was changed by a command" in str(left.reason)
    rows = exported(msp)
    assert (rows[mine]["name"], rows[mine]["description"]) != ("Reception", "By Tactical")
    assert rows[mine]["name"] == "Reception"
    assert rows[theirs]["name"] != f"NAME-{theirs[:4]}"


def test_a_run_of_which_nothing_could_go_back_can_be_undone_later(msp: Msp) -> None:
    msp.import_fleet()
    agent_id = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=agent_id, hostname="BY-TACTICAL")
    run = msp.sync()
    asset = db.session.query(Asset).filter_by(rmm_device_id=agent_id).one()
    facts = asset.description or "", asset.asset_type, asset.client_id
    edit_asset(asset.id, AssetEdit("Reception", *facts), None)
    db.session.rollback()
    undone = revert(run)
    assert (undone.status, msp.log(undone, "updated")) == (RunStatus.PARTIAL, [])
    assert get_run(run.id).reverted_by_run_id is None


def test_alerts_and_software_of_removed_assets_come_back_with_them(msp: Msp) -> None:
    run = msp.import_fleet()
    for agent_id in msp.agents[:2]:
        msp.tactical.control.alerts.trigger(agent_id, "availability")
    msp.sync(SyncKind.SOFTWARE)
    msp.sync(SyncKind.ALERTS)
    owners = dict(db.session.execute(db.select(Alert.id, Alert.asset_id)).all())
    software = count_software()
    before = exported(msp)
    assert any(owners.values())
    assert software
    undone = revert(run)
    assert exported(msp) == {}
    assert count_software() == 0
    assert counted(msp.sync()).get("created") is None, "each is held back"
    revert(undone)
    assert exported(msp) == before
    assert count_software() == software
    assert dict(db.session.execute(db.select(Alert.id, Alert.asset_id)).all()) == owners


def test_a_new_value_of_tacticals_is_taken_again(msp: Msp) -> None:
    msp.import_fleet()
    agent_id = msp.agents[0]
    before = exported(msp)[agent_id]["name"]
    msp.tactical.control.agents.edit(agent_id=agent_id, hostname="ONE")
    revert(msp.sync())
    msp.sync()
    assert exported(msp)[agent_id]["name"] == before
    msp.tactical.control.agents.edit(agent_id=agent_id, hostname="TWO")
    msp.sync()
    assert exported(msp)[agent_id]["name"] == "TWO"
    assert db.session.query(AssetConflict).filter(AssetConflict.settled_at.is_(None)).count() == 0


def test_a_preview_says_what_would_become_of_each(msp: Msp) -> None:
    msp.import_fleet()
    change_the_fleet(msp)
    run = msp.sync()
    before = exported(msp)
    found = preview_revert(run.id)
    db.session.rollback()
    assert found.counts == {
        RevertAction.UPDATED: 3,
        RevertAction.MOVED: 1,
        RevertAction.REMOVED: 1,
    }
    assert (found.page.total, found.kept, found.is_empty) == (5, 0, False)
    assert exported(msp) == before


@pytest.mark.one_database
def test_what_cannot_be_undone_says_why(msp: Msp) -> None:
    msp.import_fleet()
    alerts = msp.sync(SyncKind.ALERTS)
    with pytest.raises(Refused, match="changes no assets"):
        revert_to_end(alerts.id)
    quiet = msp.sync()
    with pytest.raises(Refused, match="changed no assets"):
        revert_to_end(quiet.id)
    msp.tactical.control.agents.edit(agent_id=msp.agents[0], hostname="ONE")
    run = msp.sync()
    revert(run)
    with pytest.raises(Refused, match="undone already"):
        revert_to_end(run.id)


def count_software() -> int:
    with transaction() as session:
        return session.query(AssetSoftware).count()


@pytest.mark.one_database
def test_a_mapping_that_was_wrong_is_undone_with_the_assets_that_moved(msp: Msp) -> None:
    msp.import_fleet()
    before, organizations = exported(msp), msp.organizations()
    external_id = next(iter(organizations))
    mapping.map_to_new_client(msp.mapping_id(external_id), "Wrong Ltd")
    db.session.rollback()
    after = exported(msp)
    assert after != before
    [run] = newest(1)
    assert (run.kind, run.status) == (SyncKind.MAPPING, RunStatus.SUCCESS)
    assert "Wrong Ltd" in str(run.title)
    undone = revert(run)
    assert exported(msp) == before
    assert msp.organizations() == organizations
    assert not {"moved", "updated"} & counted(msp.sync()).keys()
    revert(undone)
    assert exported(msp) == after


def test_an_organization_that_was_mapped_otherwise_since_stays(msp: Msp) -> None:
    msp.import_fleet()
    external_id = next(iter(msp.organizations()))
    number = msp.mapping_id(external_id)
    mapping.set_auto_sync(number, False)
    [run] = newest(1)
    mapping.set_auto_sync(number, True)
    undone = revert(run)
    assert undone.status is RunStatus.PARTIAL
    [left] = msp.log(undone, "skipped")
    assert "was changed since" in str(left.reason)
    mapping.set_auto_sync(number, True)
    assert newest(1)[0].id == undone.id, "nothing was changed, so there is no run"


@pytest.mark.parametrize("kept", [True, False], ids=["its own agent", "the other's agent"])
def test_a_merge_is_taken_apart_and_made_again(msp: Msp, kept: bool) -> None:
    msp.import_fleet()
    msp.sync(SyncKind.SOFTWARE)
    before, software = exported(msp), count_software()
    first = db.session.query(Asset).order_by(Asset.id).first()
    assert first is not None
    keep_id, client_id = first.id, first.client_id
    other_id = (
        db.session.query(Asset.id)
        .filter(Asset.client_id == client_id, Asset.id != keep_id)
        .limit(1)
    ).scalar()
    integration_id = first.integration_id
    agent_of = keep_id if kept else other_id
    db.session.rollback()
    with transaction() as session:
        run = add_person_run(session, integration_id, SyncKind.MERGE, "Merged", None)
        merge_into(session, keep_id, other_id, cause_of(run), utc_now(), agent_of=agent_of)
    merged, moments = exported(msp), list_superseded()
    assert (len(merged), len(moments)) == (len(before) - 1, 1)
    undone = revert(run)
    assert exported(msp) == before
    assert count_software() == software
    again = revert(undone)
    assert again.status is RunStatus.SUCCESS
    assert exported(msp) == merged
    assert list_superseded() == moments, "exports name the agents in this order"


def list_superseded() -> list[tuple[str, datetime]]:
    rows = db.session.query(SupersededAgent.agent_id, SupersededAgent.superseded_at).all()
    db.session.rollback()
    return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize("keep", [True, False], ids=["still listed", "deleted"])
def test_a_relink_is_taken_back_and_not_made_again(msp: Msp, keep: bool) -> None:
    msp.import_fleet()
    old = msp.agents[0]
    control = msp.tactical.control
    control.computers.new_board(old, "5CG8241KL0")
    msp.sync()
    control.agents.seen(agent_id=old, seconds_ago=3600)
    before = exported(msp)
    new = control.computers.reinstall(old, keep=keep)
    run = msp.sync()
    assert counted(run).get("relinked") == 1
    after = exported(msp)
    assert (old in after, new in after) == (False, True)

    undone = revert(run)
    assert undone.status is RunStatus.SUCCESS
    assert exported(msp) == before
    again = msp.sync()
    assert not {"relinked", "created", "conflicts"} & counted(again).keys()
    assert new not in exported(msp)
    revert(undone)
    redone = exported(msp)
    assert redone[new]["superseded_device_ids"] == [old]
    assert redone[new]["asset_id"] == before[old]["asset_id"]
    assert not {"relinked", "created", "conflicts", "waiting"} & counted(msp.sync()).keys()


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "a look later"])
def test_a_merge_by_a_sync_is_taken_back_and_not_made_again(msp: Msp, waits: bool) -> None:
    msp.import_fleet()
    old = msp.agents[0]
    control = msp.tactical.control
    control.computers.new_board(old, "5CG8241KL0")
    msp.sync()
    if waits:
        control.agents.edit(agent_id=old, checkin=0)
    else:
        control.agents.seen(agent_id=old, seconds_ago=3600)
    new = control.computers.reinstall(old, hardware=False)
    msp.sync()
    if waits:
        control.computers.report(new)
        assert msp.sync().waiting == 1
        control.server.advance(seconds=600)
        msp.sync(SyncKind.SOFTWARE)
    before, software = exported(msp), count_software()
    if not waits:
        control.computers.report(new)
    run = msp.sync()
    assert run.relinked == 1
    after = exported(msp)
    assert (old in after, after[new]["asset_id"]) == (False, before[old]["asset_id"])

    undone = revert(run)
    assert undone.status is RunStatus.SUCCESS
    assert (exported(msp), count_software()) == (before, software)
    again = [msp.sync(), msp.sync(SyncKind.STATUS), msp.sync()]
    assert all(not {"relinked", "conflicts", "waiting"} & counted(each).keys() for each in again)
    assert exported(msp) == before, "the next syncs do not do it again"
    [question] = db.session.query(AssetConflict).filter_by(kind="reverted").all()
    db.session.rollback()
    assert (question.kind, question.agent_id) == ("reverted", new)
    assert "was merged into the older asset" in question.reason

    redone = revert(undone)
    assert redone.status is RunStatus.SUCCESS
    assert exported(msp) == after
    assert not {"relinked", "conflicts", "updated"} & counted(msp.sync()).keys()
    undone = revert(redone)
    assert exported(msp) == before
    [question] = db.session.query(AssetConflict).filter_by(kind="reverted", settled_at=None).all()
    settle_conflict(question.id, Settlement.APPLY)
    assert msp.sync().relinked == 1
    assert exported(msp) == after


def newest(number: int) -> list[SyncRun]:
    found = history.list_newest_runs("", number)
    db.session.rollback()
    return found
