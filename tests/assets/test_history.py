"""The history of assets: what changed, by what, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Asset, AssetChange, SyncRun
from portal.models.assets.change import ChangeAction
from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.users import add_user
from portal.services.assets.edits import AssetEdit, edit_asset, release_field
from portal.services.assets.history import KEPT_DAYS, prune_history, read_history
from portal.services.clients import add_client
from portal.services.organizations.mapping import map_exact, map_to_client
from tests.support.msp import Msp

pytestmark = pytest.mark.mainly("postgresql")

Told = tuple[str, str, Any, Any]


def all_changes() -> list[AssetChange]:
    found = list(db.session.scalars(select(AssetChange).order_by(AssetChange.id)))
    db.session.rollback()
    return found


def changes_of(asset_id: int, action: ChangeAction | None = None) -> list[Told]:
    return [
        (str(each.action), each.column, each.before, each.after)
        for each in all_changes()
        if each.asset_id == asset_id and action in (None, each.action)
    ]


def asset_id_of(agent_id: str) -> int:
    found = db.session.scalar(select(Asset.id).where(Asset.rmm_device_id == agent_id))
    db.session.rollback()
    assert found is not None
    return found


@pytest.mark.one_database
def test_a_sync_writes_each_column_that_it_changes_and_a_repeat_nothing(msp: Msp) -> None:
    first = msp.import_fleet()
    assert {each.action for each in all_changes()} == {ChangeAction.CREATED}
    assert len(all_changes()) == first.created
    agent = msp.agents[0]
    old = msp.assets()[agent]
    msp.tactical.control.agents.edit(agent_id=agent, hostname="RENAMED", description="By the door")
    run = msp.sync()
    asset_id = asset_id_of(agent)
    assert changes_of(asset_id, ChangeAction.UPDATED) == [
        ("updated", "name", old["name"], "RENAMED"),
        ("updated", "description", old["description"] or None, "By the door"),
    ]
    newest = all_changes()[-1]
    assert (newest.cause, newest.run_id, newest.user_id) == ("command", run.id, None)
    count = len(all_changes())
    msp.sync()
    msp.sync(SyncKind.STATUS)
    assert len(all_changes()) == count


def test_an_agent_that_only_checks_in_leaves_no_trace(msp: Msp) -> None:
    msp.import_fleet()
    count = len(all_changes())
    msp.tactical.control.agents.seen(agent_id=msp.agents[0], seconds_ago=1.0)
    msp.sync(SyncKind.STATUS)
    msp.sync()
    assert len(all_changes()) == count


@pytest.mark.one_database
def test_a_move_within_tactical_reads_as_such(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    elsewhere = msp.sites_of_others(agent)[0]
    asset_id = asset_id_of(agent)
    msp.tactical.control.agents.move(agent_id=agent, site=elsewhere["site_pk"])
    msp.sync()
    moved = {column: after for _, column, _, after in changes_of(asset_id, ChangeAction.MOVED)}
    assert moved["rmm_organization_id"] == str(elsewhere["client_pk"])
    entry, *_, created = read_history(asset_id).entries
    assert entry.actions == [ChangeAction.MOVED]
    assert created.actions == [ChangeAction.CREATED]
    [client] = [field for field in entry.fields if field.column == "client"]
    assert client.after == msp.assets()[agent]["client"]


def test_gone_and_back_are_both_in_it(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    asset_id, truth = asset_id_of(agent), msp.truth(agent)
    msp.tactical.control.agents.remove(agent_id=agent)
    msp.sync()
    [gone] = changes_of(asset_id, ChangeAction.MISSING)
    assert gone[1:3] == ("missing_since", None)
    msp.tactical.control.agents.add(site=truth["site_pk"], agent_id=agent)
    msp.sync()
    [back] = changes_of(asset_id, ChangeAction.RETURNED)
    assert back[1:] == ("missing_since", gone[3], None)


def test_people_are_named(msp: Msp) -> None:
    msp.import_fleet()
    asset_id = asset_id_of(msp.agents[0])
    user = add_user("ann@acme.example", "correct horse battery", "acme", "admin")
    client = add_client("Somebody else")
    edit = AssetEdit("Reception", "By the door", "server", client.id)
    edit_asset(asset_id, edit, user.id)
    release_field(asset_id, "name", user.id)
    release_field(asset_id, "name", user.id)  # it is released already
    released, edited, _created = read_history(asset_id).entries
    assert edited.user is not None
    assert edited.user.email == "ann@acme.example"
    assert edited.cause == "person"
    assert {field.column for field in edited.fields} >= {"name", "description", "client"}
    assert [field.column for field in released.fields] == ["name"]


def test_a_mapping_moves_its_assets_in_the_history_too(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    organization = msp.mapping_id(msp.truth(agent)["client_pk"])
    client = add_client("Somebody else")
    change = map_to_client(organization, client.id)
    moves = [each for each in all_changes() if each.action is ChangeAction.MOVED]
    assert len(moves) == change.moved_assets > 1
    assert {(each.column, each.after) for each in moves} == {("client_id", client.id)}
    map_exact()
    assert len(all_changes()) == len(moves) + len(msp.agents)


@pytest.mark.one_database
def test_it_outlives_runs_and_goes_after_its_time(msp: Msp) -> None:
    msp.import_fleet()
    asset_id = asset_id_of(msp.agents[0])
    with transaction() as session:
        session.execute(delete(SyncRun))
    [entry] = read_history(asset_id).entries
    assert (entry.run, entry.cause) == (None, "command")
    oldest = [each.id for each in all_changes()[:3]]
    old = utc_now() - timedelta(days=KEPT_DAYS, seconds=1)
    with transaction() as session:
        session.execute(update(AssetChange).where(AssetChange.id.in_(oldest)).values(at=old))
    assert prune_history() == 3
    assert [each.id for each in all_changes()][:1] == [oldest[-1] + 1]
