"""Two people, or a person and a sync, at the same moment: nothing is lost, and whoever comes second
is told so in a sentence. Real threads, each with a connection of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.errors import PortalError
from portal.models import Asset, AssetConflict, AssetSoftware, RemovedAsset, SyncRun
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.assets.choosing import Chosen, get_asset_id
from portal.services.assets.deletion import delete_to_end
from portal.services.assets.listing import get_asset
from portal.services.assets.merge import merge_assets
from portal.services.assets.removed import AssetMerged
from portal.services.assets.retirement import restore_assets, retire_assets
from portal.services.conflicts.settling import settle_conflict
from portal.services.runs.history import get_run
from portal.services.runs.reverts import revert_to_end
from tests.assets.tables import add_conflict, get, import_pair
from tests.assets.test_retirement import some_missing
from tests.support.msp import Msp, counted

Deed = Callable[[], Any]


def at_once(msp: Msp, *deeds: Deed) -> list[Any]:
    """What came of each: what it returns, or the sentence that it was refused with. Any other
    error is raised."""
    db.session.rollback()
    start = Barrier(len(deeds))

    def do(deed: Deed) -> Any:
        with msp.scope():
            try:
                start.wait(10)
                deed()
            except PortalError as error:
                return error.message
            finally:
                db.session.remove()
        return None

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(do, deeds))


def client_of_three(msp: Msp) -> list[int]:
    known_id, own_id = import_pair(msp)
    its = select(Asset.id).where(Asset.client_id == get(Asset, known_id).client_id)
    ids = list(db.session.scalars(its.order_by(Asset.id)))
    return [known_id, own_id, next(each for each in ids if each not in (known_id, own_id))]


def test_two_people_settle_one_conflict(msp: Msp) -> None:
    known_id, own_id = import_pair(msp)
    conflict = add_conflict(own_id, known_id)
    came = at_once(
        msp,
        lambda: settle_conflict(conflict, Settlement.MERGE),
        lambda: settle_conflict(conflict, Settlement.SEPARATE),
        lambda: settle_conflict(conflict, Settlement.RELINK),
    )
    assert came.count(None) == 1
    settled = get(AssetConflict, conflict)
    assert settled.settled_as == list(Settlement)[[1, 2, 0][came.index(None)]]
    assert [each for each in came if each and "already" not in each] == []
    merged = settled.settled_as is not Settlement.SEPARATE
    assert len(db.session.scalars(select(RemovedAsset)).all()) == merged


def test_an_asset_is_merged_while_another_one_goes_into_it(msp: Msp) -> None:
    a, b, c = client_of_three(msp)
    assets = db.session.scalar(select(func.count(Asset.id))) or 0
    came = at_once(msp, lambda: merge_assets(b, a), lambda: merge_assets(c, b))
    done = came.count(None)
    assert done in (1, 2)
    assert db.session.scalar(select(func.count(Asset.id))) == assets - done
    assert all("does not exist any more" in each or "was merged" in each for each in came if each)
    if done == 2:
        with pytest.raises(AssetMerged) as led:
            get_asset(a)
        assert led.value.into_id == c


def test_two_assets_go_into_each_other(msp: Msp) -> None:
    one, other = import_pair(msp)
    came = at_once(msp, lambda: merge_assets(one, other), lambda: merge_assets(other, one))
    assert came.count(None) == 1
    assert db.session.scalar(select(func.count(RemovedAsset.id))) == 1


def test_a_run_is_undone_by_two_people(msp: Msp) -> None:
    one, other = import_pair(msp)
    run = merge_assets(one, other).id
    came = at_once(msp, lambda: revert_to_end(run), lambda: revert_to_end(run))
    assert None in came
    assert all("undone already" in each for each in came if each)
    made = db.session.scalars(select(SyncRun).filter_by(kind=SyncKind.REVERT)).all()
    assert [each.status for each in made] == [RunStatus.SUCCESS]
    assert get_run(run).reverted_by_run_id == made[0].id
    assert get_asset(other).id == other


def test_a_run_is_undone_while_a_sync_works(msp: Msp) -> None:
    msp.import_fleet()
    msp.sync(SyncKind.SOFTWARE)
    agents = msp.tactical.control.agents
    renamed, moved, removed = msp.agents[:3]
    agents.edit(renamed, hostname="RENAMED-1")
    agents.move(moved, site=msp.sites_of_others(moved)[0]["site_pk"])
    agents.remove(removed)
    agents.add(hostname="NEW-1", site=msp.truth(renamed)["site_pk"])
    run = msp.sync().id
    software = db.session.scalar(select(func.count(AssetSoftware.id)))
    deeds = (lambda: revert_to_end(run), msp.sync, lambda: revert_to_end(run))
    one, synced, other = at_once(msp, *deeds)
    assert synced is None
    assert {one, other} <= {
        None,
        f"This run was undone already, by run {get_run(run).reverted_by_run_id}.",
    }
    assert None in (one, other)  # either undoes it; the other one is led to the same run, or late
    statuses = Counter(db.session.scalars(select(SyncRun.status)))
    assert statuses.keys() <= {RunStatus.SUCCESS, RunStatus.PARTIAL}
    assert get_run(run).reverted_by_run_id is not None
    assert db.session.scalar(select(func.count(AssetSoftware.id))) == software
    repeated = msp.sync()
    assert not {"created", "updated", "moved", "missing"} & counted(repeated).keys()
    held = set(db.session.scalars(select(AssetConflict.agent_id)))
    assert set(msp.assets()) >= {*msp.agents, removed} - held


def test_what_is_deleted_for_good_returns_at_the_same_moment(msp: Msp) -> None:
    [asset_id] = some_missing(msp, 1)
    retire_assets(Chosen([asset_id]))
    agent = get(Asset, asset_id).rmm_device_id
    msp.tactical.control.agents.add(site=msp.truth(msp.agents[0])["site_pk"], agent_id=agent)
    refused, synced = at_once(msp, lambda: delete_to_end(asset_id), msp.sync)
    assert synced is None
    last = db.session.scalars(select(SyncRun).filter_by(kind=SyncKind.DEVICES)).all()[-1]
    assert last.status is RunStatus.SUCCESS
    msp.sync()
    found = get_asset_id(agent)
    assert get(Asset, found).missing_since is None
    assert (found == asset_id) == (refused is not None)


def test_many_are_retired_restored_and_deleted_at_once(msp: Msp) -> None:
    ids = some_missing(msp, 3)
    came = at_once(msp, *[lambda: retire_assets(Chosen(ids))] * 2)
    assert None in came
    runs = select(func.count(SyncRun.id)).where(SyncRun.title == "Retired 3 assets")
    assert db.session.scalar(runs) == 1  # whoever asks for the same is led to the same run
    one = ids[0]
    came = at_once(msp, *[lambda: delete_to_end(one)] * 2, lambda: restore_assets(Chosen([one])))
    assert None in came
    assert all(each is None or each.endswith(".") for each in came)
    is_left = db.session.scalar(select(Asset.id).where(Asset.id == one)) is not None
    assert is_left == (came[2] is None)
    assert is_left or None in came[:2]
