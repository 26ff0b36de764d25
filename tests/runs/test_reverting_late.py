"""Undoing a run when the world has gone on: people, agents, assets or the server are gone."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select

from portal.db import db, transaction
from portal.errors import Refused
from portal.models import (
    Asset,
    AssetChange,
    AssetConflict,
    RemovedAsset,
    SupersededAgent,
    SyncRun,
    User,
)
from portal.models.assets.conflict import Settlement
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import RunStatus
from portal.services.assets.choosing import Chosen
from portal.services.assets.deletion import delete_to_end
from portal.services.assets.edits import AssetEdit, edit_asset
from portal.services.assets.listing import get_asset
from portal.services.assets.merge import merge_assets
from portal.services.assets.removed import AssetMerged
from portal.services.assets.retirement import retire_assets
from portal.services.conflicts.settling import settle_conflict
from portal.services.integrations.current import get_integration
from portal.services.integrations.identity import ServerChoice, decide_server
from portal.services.organizations import mapping
from portal.services.runs import reverts
from portal.services.runs.clearing import count_created, request_clearing
from portal.services.runs.execution import run_queued
from portal.services.runs.history import get_run
from portal.services.runs.reverts import find_obstacle, request_revert, revert_to_end
from tests.assets.tables import add_conflict, get, import_pair, see_last
from tests.assets.test_retirement import some_missing
from tests.support.msp import Msp, counted
from tests.web.world import make_user

pytestmark = pytest.mark.mainly("postgresql")


def clear() -> SyncRun:
    """Remove all that the connection created."""
    run = request_clearing(None, count_created(None).assets, edited_too=True)
    run_queued(run.id)
    assert not db.session.scalars(select(Asset)).all()
    return get_run(run.id)


def undo(run: SyncRun) -> SyncRun:
    made = revert_to_end(run.id)
    db.session.rollback()
    return made


def replace_server() -> None:
    with transaction() as session:
        get_integration().state = IntegrationState.HELD
        session.flush()
    decide_server(ServerChoice.NEW)


def agent_of(asset_id: int) -> str:
    agent_id: str = get(Asset, asset_id).rmm_device_id
    return agent_id


def test_who_was_deleted_meanwhile_keeps_no_asset_from_coming_back(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    user_id = make_user(msp.app, "gone@acme.example")
    asset = get(Asset, known_id)
    edit_asset(known_id, AssetEdit("Mine", "", asset.asset_type, asset.client_id), user_id)
    conflict = add_conflict(own_id, known_id)
    settle_conflict(conflict, Settlement.SEPARATE, user_id)
    run = clear()
    with transaction() as session:
        session.execute(delete(User).where(User.id == user_id))
    assert undo(run).status is RunStatus.SUCCESS
    assert get(Asset, known_id).name == "Mine"
    edits = select(AssetChange.user_id).where(AssetChange.action == "edited")
    assert set(db.session.scalars(edits)) == {None}
    kept = get(AssetConflict, conflict)
    assert (kept.settled_as, kept.settled_by) == (Settlement.SEPARATE, None)


def test_what_was_merged_into_an_asset_outlives_its_removal(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    history = select(func.count()).where(AssetChange.asset_id == other_id)
    before = db.session.scalar(history)
    merged = merge_assets(keep_id, other_id)
    undo(clear())
    with pytest.raises(AssetMerged):
        get_asset(other_id)
    assert undo(merged).status is RunStatus.SUCCESS
    assert get_asset(other_id).id == other_id
    own = history.where(AssetChange.action != "reverted")
    assert db.session.scalar(own) == before


def test_an_agent_that_leads_to_another_asset_by_now_stays_there(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    see_last(keep_id, other_id)
    kept, superseded = agent_of(keep_id), agent_of(other_id)
    merge_assets(keep_id, other_id)
    run = clear()
    mapping.map_exact()
    msp.sync()
    anew = {asset.rmm_device_id: asset.id for asset in db.session.scalars(select(Asset))}
    again = get(Asset, anew[superseded])
    third = next(
        each.id
        for each in db.session.scalars(select(Asset).filter_by(client_id=again.client_id))
        if each.rmm_device_id not in (kept, superseded)
    )
    see_last(third, again.id)
    merge_assets(third, again.id)
    with transaction() as session:
        session.execute(delete(Asset).where(Asset.id == anew[kept]))
    made = undo(run)
    assert (made.status, made.created) == (RunStatus.PARTIAL, 1)
    assert agent_of(keep_id) == kept
    led = select(SupersededAgent.asset_id).where(SupersededAgent.agent_id == superseded)
    assert db.session.scalars(led).all() == [third]


@pytest.mark.one_database
def test_what_a_server_brought_that_was_replaced_is_not_undone(msp: Msp) -> None:
    msp.import_fleet()
    moved = msp.agents[0]
    msp.tactical.control.agents.move(moved, site=msp.sites_of_others(moved)[0]["site_pk"])
    run, cleared = msp.sync(), clear()
    waiting = request_revert(cleared.id)
    replace_server()
    for each in (run, cleared):
        with pytest.raises(Refused, match="replaced by another one after this run"):
            revert_to_end(each.id)
    run_queued(waiting.id)
    ended = get_run(waiting.id)
    assert (ended.status, "replaced" in str(ended.error)) == (RunStatus.FAILED, True)
    assert not db.session.scalars(select(Asset)).all()


@pytest.mark.one_database
def test_what_was_deleted_for_good_is_said_to_be_gone(msp: Msp) -> None:
    ids = some_missing(msp, 1)
    retired = retire_assets(Chosen(ids)).run
    deleted = delete_to_end(ids[0])
    assert find_obstacle(get_run(retired.id)) == reverts.NOTHING_LEFT
    assert find_obstacle(get_run(deleted.id)) == reverts.DELETED
    idle = msp.sync()
    assert not {"updated", "missing"} & counted(idle).keys()
    assert find_obstacle(get_run(idle.id)) == reverts.NOTHING_DONE
    [kept] = db.session.scalars(select(RemovedAsset))  # for lists of past days
    assert (kept.into_asset_id, kept.run_id) == (None, None)
