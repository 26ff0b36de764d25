"""Retiring, restoring and deleting assets: what a person does, as runs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy import delete, func, select, update

from portal.db import count_changed, db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Alert, Asset, AssetChange, AssetSoftware, SyncRun
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.assets.change import ChangeAction
from portal.models.events.event import EventType
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.accounts.users import add_user
from portal.services.assets import retirement
from portal.services.assets.choosing import Chosen, get_asset_id
from portal.services.assets.deletion import count_contents, delete_to_end, request_deletion
from portal.services.assets.listing import (
    MISSING,
    PROPOSED,
    RETIRED,
    AssetFilter,
    count_by_status,
    list_assets,
)
from portal.services.assets.missing import list_missing
from portal.services.assets.retirement import (
    Done,
    request_restoring,
    request_retirement,
    restore_assets,
    retire_assets,
)
from portal.services.export import export_assets
from portal.services.integrations.connect import disconnect
from portal.services.integrations.current import find_integration
from portal.services.runs import execution, reverts
from portal.services.runs.history import get_run
from portal.sync.runs.log import RunLog
from tests.events.conftest import events
from tests.support.msp import Msp, counted
from tests.sync.software import ingest
from tests.sync.test_retirement import age, remove, retired

pytestmark = pytest.mark.mainly("postgresql")


def some_missing(msp: Msp, number: int) -> list[int]:
    """Ids of assets that Tactical lists no more, the first of them proposed for retirement."""
    msp.import_fleet(brake_percent=100)
    ingest(msp)
    agents = remove(msp, *range(number))
    msp.sync()
    age(40, retire_after_runs=1)
    return [get_asset_id(agent) for agent in agents]


def number_of(table: type[AssetSoftware] | type[AssetChange] | type[Alert]) -> int:
    return db.session.scalar(select(func.count()).where(table.asset_id.is_not(None))) or 0


def test_a_retired_asset_leaves_counts_and_lists_and_keeps_everything(msp: Msp) -> None:
    ids = some_missing(msp, 3)
    before = export_row(ids[0])
    installed = number_of(AssetSoftware)
    assert number_of(AssetSoftware) == installed > 0
    done = retire_assets(Chosen(ids[:2]))
    assert (done.number, done.run.title) == (2, "Retired 2 assets")
    counts = count_by_status(integration=find_integration())
    assert [counts[name] for name in (MISSING, PROPOSED, RETIRED)] == [1, 1, 2]
    assert {a.id for a in list_assets(AssetFilter(status=RETIRED)).items} == set(ids[:2])
    assert {a.id for a in list_assets(AssetFilter(status=MISSING)).items} == {ids[2]}
    assert not {a.id for a in list_assets(AssetFilter()).items} & set(ids)
    after = export_row(ids[0])
    assert after.pop("retired_at") is not None
    assert before.pop("retired_at") is None
    assert after == before
    assert number_of(AssetSoftware) == installed


def export_row(asset_id: int) -> dict[str, object]:
    [row] = [row for row in export_assets() if row["asset_id"] == str(asset_id)]
    db.session.rollback()
    return row


def test_it_is_a_run_with_its_history_and_its_log(msp: Msp) -> None:
    ids = some_missing(msp, 1)
    run = retire_assets(Chosen(ids)).run
    assert (run.kind, run.status) == (SyncKind.ASSETS, RunStatus.SUCCESS)
    assert counted(run) == {"seen": 1, "retired": 1}
    assert [entry.action for entry in msp.log(run)] == ["retired"]
    back = restore_assets(Chosen(ids)).run
    changes = db.session.scalars(
        select(AssetChange)
        .where(AssetChange.asset_id == ids[0], AssetChange.run_id.in_([run.id, back.id]))
        .order_by(AssetChange.id)
    ).all()
    assert [(c.action, c.column, c.run_id) for c in changes] == [
        (ChangeAction.RETIRED, "retired_at", run.id),
        (ChangeAction.RESTORED, "retired_at", back.id),
    ]
    assert changes[0].after == changes[1].before is not None
    assert (changes[0].before, changes[1].after) == (None, None)


@pytest.mark.one_database
def test_whoever_listens_is_told_of_it_and_of_its_undoing(msp: Msp) -> None:
    [asset_id] = some_missing(msp, 1)
    asset = db.session.get_one(Asset, asset_id)
    retired_by = retire_assets(Chosen([asset_id])).run
    reverts.revert_to_end(retired_by.id)
    restored_by = restore_assets(Chosen(shown=retire_again(asset_id))).run
    reverts.revert_to_end(restored_by.id)
    kinds = (EventType.DEVICE_RETIRED, EventType.DEVICE_RESTORED)
    told = [event for event in events() if event.type in kinds]
    assert [event.type for event in told] == [*kinds, *kinds, kinds[0]]
    for event in told:
        assert event.payload["rmm_device_id"] == asset.rmm_device_id
        assert event.payload["missing_since"] is not None
        is_retired = event.type == EventType.DEVICE_RETIRED
        assert (event.payload["retired_at"] is not None) == is_retired


def retire_again(asset_id: int) -> AssetFilter:
    retire_assets(Chosen([asset_id]))
    return AssetFilter(status=RETIRED)


def test_one_that_is_listed_cannot_be_retired_and_is_told_why(msp: Msp) -> None:
    ids = some_missing(msp, 1)
    listed = get_asset_id(msp.agents[0])
    with pytest.raises(Refused, match="agent is listed"):
        retire_assets(Chosen([listed]))
    done = retire_assets(Chosen([listed, *ids]))
    assert (done.number, done.left) == (1, 1)
    with pytest.raises(Refused, match="retired already"):
        retire_assets(Chosen(ids))
    with pytest.raises(InvalidInput, match="Select"):
        retire_assets(Chosen())


def test_all_that_a_filter_shows_are_retired(msp: Msp) -> None:
    ids = some_missing(msp, 4)
    assert retire_assets(Chosen(shown=AssetFilter(status=PROPOSED))).number == 4
    names = {a.name for a in list_assets(AssetFilter(status=RETIRED)).items}
    name = sorted(names)[0]
    assert restore_assets(Chosen(shown=AssetFilter(status=RETIRED, search=name))).number == 1
    assert len(retired()) == len(ids) - 1


@pytest.mark.one_database
def test_a_restored_asset_is_proposed_again_only_after_as_many_runs(msp: Msp) -> None:
    ids = some_missing(msp, 1)
    retire_assets(Chosen(ids))
    restore_assets(Chosen(ids))
    assert count_by_status(integration=find_integration())[PROPOSED] == 0
    msp.sync()
    assert count_by_status(integration=find_integration())[PROPOSED] == 1


def test_only_retired_ones_are_deleted_with_all_that_goes_with_them(msp: Msp) -> None:
    ids = some_missing(msp, 3)
    with pytest.raises(Refused, match="Only retired"):
        request_deletion(Chosen(ids), 3)
    with transaction() as session:
        alert = Alert(
            integration_id=db.session.get_one(Asset, ids[0]).integration_id,
            agent_id="x" * 40,
            asset_id=ids[0],
            external_alert_id="1",
            condition="1",
            alert_type="check",
            severity=Severity.ERROR,
            message="",
            status=AlertStatus.ACTIVE,
            source=AlertSource.WEBHOOK,
            triggered_at=db.session.get_one(Asset, ids[0]).created_at,
        )
        session.add(alert)
    retire_assets(Chosen(ids[:2]))
    contents = count_contents(Chosen(ids))
    assert (contents.assets, contents.alerts) == (2, 1)
    assert contents.changes >= 6
    before = number_of(AssetSoftware)
    with pytest.raises(InvalidInput, match="Enter 2"):
        request_deletion(Chosen(ids), 3)
    run = request_deletion(Chosen(ids), 2)
    assert request_deletion(Chosen(ids), 2).id == run.id
    execution.run_queued(run.id)
    done = get_run(run.id)
    assert (done.status, done.title) == (RunStatus.SUCCESS, "Deleted 2 assets for good")
    assert counted(done) == {"seen": 2, "removed": 2}
    assert number_of(AssetSoftware) == before - contents.software
    assert db.session.get(Asset, ids[0]) is None
    assert db.session.get(Asset, ids[2]) is not None
    db.session.refresh(alert)
    assert alert.asset_id is None


@pytest.mark.one_database
def test_an_asset_is_found_by_its_agent_or_its_number(msp: Msp) -> None:
    msp.import_fleet()
    agent = msp.agents[0]
    asset_id = get_asset_id(agent)
    assert get_asset_id(str(asset_id)) == asset_id
    for nobody in ("0", "9" * 30, "nobody"):
        with pytest.raises(NotFound):
            get_asset_id(nobody)


@pytest.mark.one_database
def test_an_agent_with_the_number_of_another_asset_names_neither(msp: Msp) -> None:
    msp.import_fleet()
    one, other = (get_asset_id(agent) for agent in msp.agents[:2])
    with transaction() as session:
        session.get_one(Asset, other).rmm_device_id = str(one)
    with pytest.raises(InvalidInput, match=f"{one} is the number of one asset and the agent_id"):
        get_asset_id(str(one))


@pytest.mark.one_database
@pytest.mark.parametrize("deed", [retire_assets, restore_assets])
def test_who_comes_second_has_done_nothing(
    msp: Msp, deed: Callable[[Chosen], Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = some_missing(msp, 2)
    if deed is not retire_assets:
        retire_assets(Chosen(ids))
    work = execution.work_to_end

    def lose_and_work(run_id: int) -> SyncRun:
        with transaction() as session:
            session.execute(delete(Asset).where(Asset.id.in_(ids)))
        return work(run_id)

    monkeypatch.setattr(retirement, "work_to_end", lose_and_work)
    with pytest.raises(Refused, match="has just changed these assets"):
        deed(Chosen(ids))
    run = db.session.scalars(select(SyncRun).order_by(SyncRun.id.desc())).first()
    assert run is not None
    assert (run.title, counted(run)) == (None, {"seen": 2, "unchanged": 2})


def test_what_is_missing_is_listed_with_what_is_proposed(msp: Msp) -> None:
    ids = some_missing(msp, 2)
    retire_assets(Chosen(ids[:1]))
    rows = {row.device_id: row.to_json() for row in list_missing()}
    assert len(rows) == 2
    assert sorted((row["proposed"], row["retired_at"] is not None) for row in rows.values()) == [
        (False, True),
        (True, False),
    ]
    assert {row["absent_runs"] for row in rows.values()} == {1}


@pytest.mark.fleet(agents=60)
def test_many_are_deleted_some_at_a_time_and_an_interrupted_run_goes_on(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.sync.devices.asset_changes.ASSETS_AT_ONCE", 7)
    ids = some_missing(msp, 40)
    assert retire_assets(Chosen(shown=AssetFilter(status=MISSING))).number == 40
    run = request_deletion(Chosen(shown=AssetFilter(status=RETIRED)), 40)
    restore_assets(Chosen(ids[-1:]))  # meanwhile
    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "check", stop_after(3))
        with pytest.raises(KeyboardInterrupt):
            execution.run_queued(run.id)
    assert len(msp.assets()) == 60 - 21
    again(run.id)
    done = get_run(run.id)
    assert (done.status, done.title) == (RunStatus.SUCCESS, "Deleted 39 assets for good")
    assert (done.done, done.total, len(msp.log(done))) == (40, 40, 39)
    assert [asset.id for asset in list_assets(AssetFilter(status=MISSING)).items] == ids[-1:]


@pytest.mark.fleet(agents=60)
def test_many_are_retired_and_restored_by_a_worker(
    msp: Msp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.sync.devices.asset_changes.ASSETS_AT_ONCE", 7)
    ids = some_missing(msp, 51)
    user_id = add_user("ann@acme.example", "correct horse battery", "acme", "admin").id
    asked = request_retirement(Chosen([*ids, get_asset_id(msp.agents[0])]), user_id)
    assert (asked.run.status, asked.left, retired()) == (RunStatus.QUEUED, 1, set())
    assert request_retirement(Chosen(ids), user_id).run.id == asked.run.id
    with monkeypatch.context() as patch:
        patch.setattr(RunLog, "check", stop_after(3))
        with pytest.raises(KeyboardInterrupt):
            execution.run_queued(asked.run.id)
    assert len(retired()) == 21
    again(asked.run.id)
    done = get_run(asked.run.id)
    assert (done.status, done.title) == (RunStatus.SUCCESS, "Retired 51 assets")
    assert (done.requested_by, done.done, len(retired())) == (user_id, 51, 51)
    back = request_restoring(Chosen(shown=AssetFilter(status=RETIRED)), user_id).run
    assert back.status is RunStatus.QUEUED
    execution.run_queued(back.id)
    assert (get_run(back.id).title, retired()) == ("Restored 51 assets", set())
    reverts.revert_to_end(back.id)
    assert len(retired()) == 51


def again(run_id: int) -> None:
    """As when a process that was lost is noticed."""
    with transaction() as session:
        values = {"status": RunStatus.QUEUED, "lease": None, "finished_at": None}
        count_changed(session, update(SyncRun).where(SyncRun.id == run_id).values(**values))
    execution.run_queued(run_id)


def stop_after(number: int) -> Callable[[RunLog], None]:
    """As if the process were told to end then."""
    calls = count(1)

    def check(_run_log: RunLog) -> None:
        if next(calls) > number:
            raise KeyboardInterrupt

    return check


@pytest.mark.one_database
def test_a_deletion_needs_no_connection(msp: Msp) -> None:
    [asset_id] = some_missing(msp, 1)
    retire_assets(Chosen([asset_id]))
    disconnect()
    assert delete_to_end(asset_id).removed == 1
