"""What taking a run back would do: looked at before it is done."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.errors import Refused
from portal.models import Asset, RevertPage
from portal.models.runs.revert_action import RevertAction
from portal.services.assets.choosing import Chosen, get_asset_id
from portal.services.assets.edits import AssetEdit, edit_asset
from portal.services.assets.retirement import restore_assets, retire_assets
from portal.services.runs.history import prune_runs
from portal.services.runs.revert_previews import preview_revert
from portal.services.runs.reverts import list_reverts
from portal.sync.reverting.plan import AssetRevert
from tests.assets.test_retirement import some_missing
from tests.runs.test_reverting import revert
from tests.support.msp import Msp


def rename(asset_id: int, name: str) -> None:
    asset = db.session.get_one(Asset, asset_id)
    edit_asset(asset_id, AssetEdit(name, "", asset.asset_type, asset.client_id), None)


def told(found: Iterable[AssetRevert]) -> list[tuple[object, ...]]:
    return [(each.asset_id, each.name, each.action, *each.kept) for each in found]


def kept_pages() -> int:
    number = db.session.scalar(select(func.count(RevertPage.id))) or 0
    db.session.rollback()
    return number


@pytest.mark.fleet(agents=60)
def test_it_is_planned_once_and_paged_through(msp: Msp) -> None:
    run = msp.import_fleet()
    first = preview_revert(run.id)
    assert (first.page.total, first.page.last, len(first.page.items)) == (60, 2, 50)
    rename(get_asset_id(msp.agents[0]), "Mine")
    second = preview_revert(run.id, 2)
    assert (second.made_at, second.counts) == (first.made_at, {RevertAction.REMOVED: 60})
    assert preview_revert(run.id, 99).page.items == second.page.items
    anew = preview_revert(run.id)
    assert (anew.counts[RevertAction.UNCHANGED], anew.kept) == (1, 1)
    pages = [*anew.page.items, *preview_revert(run.id, 2).page.items]
    assert told(pages) == told(list_reverts(run))
    assert kept_pages() == 2
    with transaction() as session:
        old = update(RevertPage).values(made_at=utc_now() - timedelta(days=2))
        count_changed(session, old)
    assert preview_revert(run.id, 2).made_at > utc_now() - timedelta(minutes=5)
    with transaction() as session:
        count_changed(session, old)
    prune_runs(run.integration_id)
    assert kept_pages() == 0
    revert(run)
    with pytest.raises(Refused, match="undone already"):
        preview_revert(run.id, 2)


@pytest.mark.one_database
def test_a_merge_names_both_assets_and_what_goes_back_with_each(msp: Msp) -> None:
    msp.import_fleet()
    control, old = msp.tactical.control, msp.agents[0]
    control.computers.new_board(old, "5CG8241KL0")
    msp.sync()
    control.agents.seen(agent_id=old, seconds_ago=3600)
    new = control.computers.reinstall(old, hardware=False)
    control.agents.edit(agent_id=new, hostname="NEW-PC")
    msp.sync()
    keep_id, other_id = get_asset_id(old), get_asset_id(new)
    name = db.session.get_one(Asset, keep_id).name
    control.computers.report(new)
    run = msp.sync()
    assert run.relinked == 1
    shown = [each for each in list_reverts(run) if each.asset_id in (keep_id, other_id)]
    assert [each.asset_id for each in shown] == [other_id, keep_id]
    other, keep = shown
    assert (other.action, other.agent_id) == (RevertAction.CREATED, new)
    assert other.told[0] == f"It comes out of NEW-PC (asset {keep_id}), as an asset of its own."
    assert re.fullmatch(r"It gets back \d entries of its history\.", other.told[1])
    assert keep.action is RevertAction.RELINKED
    assert keep.changes["rmm_device_id"] == (new, old)
    assert keep.changes["name"] == ("NEW-PC", name)
    assert keep.told[0] == f"NEW-PC (asset {other_id}) comes out of it."
    rename(keep_id, "Mine")
    _, keep = (each for each in list_reverts(run) if each.asset_id in (keep_id, other_id))
    assert keep.told[-1] == "Changed since, so it stays: name."
    undone = revert(run)
    assert db.session.get_one(Asset, keep_id).rmm_device_id == old
    [again] = [each for each in list_reverts(undone) if each.action is RevertAction.REMOVED]
    assert again.told == [f"It goes into Mine (asset {keep_id}) again."]


@pytest.mark.one_database
def test_an_asset_that_is_listed_again_is_not_retired_by_an_undo(msp: Msp) -> None:
    [asset_id] = some_missing(msp, 1)
    retire_assets(Chosen([asset_id]))
    restored = restore_assets(Chosen([asset_id])).run
    agent = db.session.get_one(Asset, asset_id).rmm_device_id
    msp.tactical.control.agents.add(site=msp.truth(msp.agents[0])["site_pk"], agent_id=agent)
    msp.sync()
    [shown] = list_reverts(restored)
    assert shown.action is RevertAction.UNCHANGED
    assert "Tactical lists its agent again, so it is not retired." in shown.kept
    revert(restored)
    assert db.session.get_one(Asset, asset_id, populate_existing=True).retired_at is None
