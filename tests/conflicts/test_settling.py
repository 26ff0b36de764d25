"""What a person decides about a conflict is done, remembered, and told to whoever comes second."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Asset, AssetConflict, RemovedAsset, SupersededAgent, SyncLogEntry
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.merge import merge_assets
from portal.services.assets.removed import AssetMerged
from portal.services.conflicts import settling
from portal.services.conflicts.listing import (
    ConflictFilter,
    count_open,
    export_conflicts,
    find_conflicted,
    get_conflict,
    list_conflicts,
)
from portal.services.conflicts.settling import settle_conflict, settle_conflicts
from portal.services.runs.reverts import revert_to_end
from tests.assets.tables import add_conflict, change, get, import_pair, read_tables, see_last
from tests.support.msp import Msp
from tests.web.world import make_user

pytestmark = pytest.mark.mainly("postgresql")


def log_of(run_id: int) -> list[tuple[str, str]]:
    rows = db.session.scalars(select(SyncLogEntry).filter_by(run_id=run_id))
    return [(row.action, row.external_id) for row in rows]


@pytest.mark.one_database
def test_merge_makes_one_asset_with_the_agent_that_was_seen_last(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    see_last(known_id, own_id)
    agent, gone = get(Asset, known_id).rmm_device_id, get(Asset, own_id).rmm_device_id
    conflict = add_conflict(own_id, known_id)
    run = settle_conflict(conflict, Settlement.MERGE)
    assert run is not None
    assert (run.kind, run.status) == (SyncKind.MERGE, RunStatus.SUCCESS)
    removed = db.session.scalars(select(RemovedAsset)).one()
    name, into = removed.snapshot["asset"]["name"], get(Asset, known_id).name
    assert run.title == f"Merged {name} into {into}"
    assert (run.updated, run.removed, log_of(run.id)) == (1, 1, [("merged", gone)])
    assert get(Asset, known_id).rmm_device_id == agent
    removed = db.session.scalars(select(RemovedAsset)).one()
    assert (removed.asset_id, removed.into_asset_id, removed.run_id) == (own_id, known_id, run.id)
    settled = get(AssetConflict, conflict)
    assert (settled.settled_as, settled.asset_id) == (Settlement.MERGE, known_id)


@pytest.mark.one_database
def test_relink_gives_the_known_asset_the_agent_though_it_was_seen_before(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    see_last(known_id, own_id)
    old, agent = get(Asset, known_id).rmm_device_id, get(Asset, own_id).rmm_device_id
    settle_conflict(add_conflict(own_id, known_id), Settlement.RELINK)
    assert get(Asset, known_id).rmm_device_id == agent
    assert [row.agent_id for row in db.session.scalars(select(SupersededAgent))] == [old]


def test_an_agent_without_an_asset_is_relinked(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    conflict, old = add_conflict(own_id, known_id), get(Asset, known_id).rmm_device_id
    with transaction() as session:
        row = session.get_one(AssetConflict, conflict)
        row.asset_id, row.agent_id = None, "N" * 40
    with pytest.raises(Refused, match="Choose relink or separate"):
        settle_conflict(conflict, Settlement.MERGE)
    run = settle_conflict(conflict, Settlement.RELINK)
    assert run is not None
    assert (run.relinked, log_of(run.id)) == (1, [("relinked", "N" * 40)])
    assert get(Asset, known_id).rmm_device_id == "N" * 40
    assert [row.agent_id for row in db.session.scalars(select(SupersededAgent))] == [old]


@pytest.mark.one_database
def test_kept_apart_changes_no_asset_and_is_remembered(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)
    assets = read_tables()["assets"]
    assert settle_conflict(conflict, Settlement.SEPARATE) is None
    assert read_tables()["assets"] == assets
    row = get(AssetConflict, conflict)
    assert (row.settled_as, row.other_asset_id) == (Settlement.SEPARATE, known_id)
    assert count_open()["conflicts"] == 0


def test_of_several_assets_one_is_named(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    client_id = get(Asset, own_id).client_id
    third = db.session.scalars(
        select(Asset.id).where(Asset.client_id == client_id, Asset.id.not_in([known_id, own_id]))
    ).first()
    conflict = add_conflict(own_id, known_id, "several")
    with transaction() as session:
        assets = [{"asset_id": each} for each in (known_id, third)]
        session.get_one(AssetConflict, conflict).evidence = {"assets": assets}
    shown = list_conflicts(ConflictFilter()).items[0]
    assert [side.asset_id for side in shown.others] == [known_id, third]
    with pytest.raises(InvalidInput, match="not about that asset"):
        settle_conflict(conflict, Settlement.MERGE, target_id=own_id)
    settle_conflict(conflict, Settlement.MERGE, target_id=third)
    assert db.session.scalars(select(RemovedAsset.into_asset_id)).all() == [third]
    assert get(Asset, known_id).id == known_id


def test_who_comes_second_is_told_what_the_first_decided(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    user_id = make_user(msp.app, "first@acme.example")
    conflict = add_conflict(own_id, known_id)
    settle_conflict(conflict, Settlement.SEPARATE, user_id)
    before = read_tables()
    with pytest.raises(Refused, match=r"first@acme\.example .* settled by keeping both\."):
        settle_conflict(conflict, Settlement.MERGE)
    assert read_tables() == before


def test_many_are_settled_each_by_itself(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    good, again = add_conflict(own_id, known_id), add_conflict(known_id, own_id)
    settle_conflict(again, Settlement.SEPARATE)
    settled = settle_conflicts([again, good, 10**6, good], Settlement.MERGE)
    assert settled.number == 1
    assert [problem.partition("was")[0] for problem in settled.problems] == [
        f"Conflict {again} ",
        "This conflict does not exist.",
    ]
    with pytest.raises(InvalidInput, match="Select at least one"):
        settle_conflicts([], Settlement.MERGE)


def test_a_merge_that_cannot_be_leaves_the_conflict_open(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)
    stranger = next(
        id
        for id in db.session.scalars(select(Asset.client_id).distinct())
        if id != get(Asset, own_id).client_id
    )
    change(own_id, client_id=stranger, rmm_organization_id="another")
    before = read_tables()
    with pytest.raises(Refused, match="Only assets of one client"):
        settle_conflict(conflict, Settlement.MERGE)
    assert read_tables() == before


@pytest.mark.one_database
def test_what_was_taken_back_is_only_applied(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, None, "reverted")
    with pytest.raises(Refused, match="Choose apply"):
        settle_conflict(conflict, Settlement.SEPARATE)
    assert settle_conflict(conflict, Settlement.APPLY) is None
    assert get(AssetConflict, conflict).settled_as is Settlement.APPLY
    assert known_id != own_id


def test_groups_filters_and_what_needs_a_person(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    ids = {
        kind: add_conflict(own_id, known_id, kind)
        for kind in ("clone", "same_name", "set_aside", "reverted")
    }
    assert count_open() == {"conflicts": 1, "set_aside": 1, "suggestions": 1, "reverted": 1}
    assert find_conflicted([known_id]) == {known_id, own_id}
    for group, kind in (("conflicts", "clone"), ("suggestions", "same_name")):
        [shown] = list_conflicts(ConflictFilter(group)).items
        assert shown.conflict.id == ids[kind]
    name = get(Asset, known_id).name
    assert list_conflicts(ConflictFilter(search=name)).total == 1
    assert list_conflicts(ConflictFilter(search="nothing like it")).total == 0
    settle_conflict(ids["clone"], Settlement.SEPARATE)
    assert [each.conflict.id for each in list_conflicts(ConflictFilter("settled")).items] == [
        ids["clone"]
    ]
    assert [row["kind"] for row in export_conflicts()] == ["same_name", "set_aside", "reverted"]
    assert {type(row["asset_id"]) for row in export_conflicts()} == {str}


@pytest.mark.one_database
def test_a_merge_by_hand_says_what_became_of_an_asset_that_is_no_more(msp: Msp) -> None:
    keep_id, other_id = import_pair(msp)
    run = merge_assets(keep_id, other_id)
    assert run.kind is SyncKind.MERGE
    with pytest.raises(AssetMerged):
        merge_assets(keep_id, other_id)
    with pytest.raises(NotFound):
        merge_assets(keep_id, 10**9)


@pytest.mark.parametrize("choice", [Settlement.MERGE, Settlement.RELINK])
@pytest.mark.one_database
def test_a_settled_conflict_is_open_again_once_its_run_is_undone(
    msp: Msp, choice: Settlement
) -> None:
    known_id, own_id = import_pair(msp)
    see_last(known_id, own_id)
    conflict = add_conflict(own_id, known_id)
    before = read_tables()
    run = settle_conflict(conflict, choice)
    assert run is not None
    undone = revert_to_end(run.id)
    assert undone.status is RunStatus.SUCCESS
    after = read_tables()
    for table in ("assets", "rmm_alerts", "asset_software", "superseded_agents"):
        assert after[table] == before[table], table
    assert get(AssetConflict, conflict).settled_at is None


def test_a_conflict_that_goes_with_its_asset_meanwhile_is_no_error_of_ours(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)

    def read_then_lose(conflict_id: int) -> AssetConflict:
        found = get_conflict(conflict_id)
        db.session.expunge(found)
        with transaction() as session:
            session.delete(session.get_one(AssetConflict, conflict_id))
        return found

    monkeypatch.setattr(settling, "get_conflict", read_then_lose)
    with pytest.raises(NotFound, match="its asset was deleted"):
        settle_conflict(conflict, Settlement.MERGE)


def test_an_asset_that_the_agent_got_meanwhile_goes_along(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    agent, conflict = get(Asset, own_id).rmm_device_id, add_conflict(own_id, known_id)
    change_conflict(conflict, asset_id=None)
    run = settle_conflict(conflict, Settlement.RELINK)
    assert run is not None
    assert log_of(run.id) == [("merged", agent)]
    assert get(Asset, known_id).rmm_device_id == agent
    assert db.session.scalars(select(RemovedAsset.asset_id)).all() == [own_id]


@pytest.mark.one_database
def test_the_agent_that_an_asset_has_is_not_given_to_it(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)
    change_conflict(conflict, asset_id=None, agent_id=get(Asset, known_id).rmm_device_id)
    before = read_tables()
    with pytest.raises(Refused, match="has this agent already"):
        settle_conflict(conflict, Settlement.RELINK)
    assert read_tables() == before


@pytest.mark.one_database
def test_a_sync_that_makes_the_asset_first_is_no_error_of_ours(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)
    change_conflict(conflict, asset_id=None)
    read = settling._find_own_id
    monkeypatch.setattr(settling, "_find_own_id", lambda *_: None)
    with pytest.raises(Refused, match="at the same moment"):
        settle_conflict(conflict, Settlement.RELINK)
    monkeypatch.setattr(settling, "_find_own_id", read)
    assert settle_conflict(conflict, Settlement.RELINK) is not None


@pytest.mark.one_database
def test_who_comes_while_the_first_one_decides_is_told_so_too(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)

    def come_second(asked: AssetConflict, target_id: int | None) -> int | None:
        monkeypatch.undo()
        settle_conflict(conflict, Settlement.MERGE)
        return target_id or known_id

    monkeypatch.setattr(settling, "_choose_target", come_second)
    with pytest.raises(Refused, match="was already settled by merging"):
        settle_conflict(conflict, Settlement.RELINK)


@pytest.mark.one_database
def test_no_more_are_settled_at_once_than_a_request_can_wait_for(msp: Msp) -> None:
    with pytest.raises(InvalidInput, match="at most 500"):
        settle_conflicts(range(1, 502), Settlement.MERGE)


def change_conflict(conflict_id: int, **values: object) -> None:
    with transaction() as session:
        conflict = session.get_one(AssetConflict, conflict_id)
        for name, value in values.items():
            setattr(conflict, name, value)
