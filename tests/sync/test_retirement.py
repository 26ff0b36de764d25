"""Assets that stay missing: counted by complete syncs, proposed, retired, and restored."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import Asset, AssetChange, Integration
from portal.models.assets.change import ChangeAction
from portal.models.events.event import EventType
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from tests.events.conftest import events
from tests.support.msp import Msp
from tests.support.statements import counting

pytestmark = pytest.mark.mainly("postgresql")


def remove(msp: Msp, *numbers: int) -> list[str]:
    agents = [msp.agents[number] for number in numbers]
    for agent in agents:
        msp.tactical.control.agents.remove(agent_id=agent)
    return agents


def age(days: int, **columns: object) -> None:
    """Make what is missing so many days old, and set columns of the integration."""
    with transaction() as session:
        old = {"missing_since": utc_now() - timedelta(days=days)}
        is_missing = Asset.missing_since.is_not(None)
        count_changed(session, update(Asset).where(is_missing).values(**old))
        if columns:
            count_changed(session, update(Integration).values(**columns))


def absent_runs() -> dict[str, int]:
    rows = db.session.execute(
        select(Asset.rmm_device_id, Asset.absent_runs).where(Asset.missing_since.is_not(None))
    )
    found = {row[0]: row[1] for row in rows}
    db.session.rollback()
    return found


def retired() -> set[str]:
    found = set(
        db.session.scalars(select(Asset.rmm_device_id).where(Asset.retired_at.is_not(None)))
    )
    db.session.rollback()
    return found


def test_what_is_missing_is_locked_in_one_order_before_it_is_written(msp: Msp) -> None:
    """So that nobody who takes the same assets in that order and the sync wait for each other."""
    msp.import_fleet()
    remove(msp, 0, 1)
    msp.sync()
    remove(msp, 2)
    with counting() as statements:
        msp.sync()
    written = [each for each in statements if re.match("UPDATE assets .*absent_runs=", each)]
    assert len(written) == 2  # those that were missing before, and the new one
    assert all("ORDER BY assets.id" in each for each in written)


def test_complete_syncs_count_how_often_an_asset_was_absent(msp: Msp) -> None:
    msp.import_fleet()
    [agent] = remove(msp, 0)
    for number in (1, 2, 3):
        msp.sync()
        assert absent_runs() == {agent: number}
    site = msp.truth(msp.agents[0])["site_pk"]
    msp.tactical.control.agents.add(site=site, agent_id=agent)
    msp.sync()
    assert absent_runs() == {}
    assert db.session.scalars(select(Asset.absent_runs).distinct()).all() == [0]


def test_a_listing_that_is_no_evidence_counts_for_nothing(msp: Msp) -> None:
    msp.import_fleet(inventory_source=InventorySource.BETA)
    [agent] = remove(msp, 0)
    msp.sync()
    broken = [{"at": 0, "set": {"agent_id": None}}]
    msp.tactical.control.faults.add(
        kind="bad_rows", path="/beta/v1/agent/", times=None, rows=broken
    )
    msp.sync()
    msp.tactical.control.faults.clear()
    msp.connect(inventory_source=InventorySource.DASHBOARD)
    msp.sync()
    msp.sync(SyncKind.STATUS)
    assert absent_runs() == {agent: 1}
    msp.sync()
    assert absent_runs() == {agent: 2}


@pytest.mark.one_database
def test_nothing_is_retired_by_itself_unless_it_is_set(msp: Msp) -> None:
    msp.import_fleet()
    remove(msp, 0)
    msp.sync()
    age(1000)
    for _ in range(3):
        assert msp.sync().retired == 0
    assert retired() == set()


def test_what_is_proposed_is_retired_where_it_is_set(msp: Msp) -> None:
    msp.import_fleet()
    [agent] = remove(msp, 0)
    msp.sync()
    age(31, retire_automatically=True)
    assert msp.sync().retired == 0  # twice is not three times
    run = msp.sync()
    assert (run.status, run.retired, retired()) == (RunStatus.SUCCESS, 1, {agent})
    [entry] = msp.log(run, "retired")
    assert (entry.external_id, "not been in Tactical since" in str(entry.reason)) == (agent, True)
    change = last_change(ChangeAction.RETIRED)
    assert (change.run_id, change.column, change.before) == (run.id, "retired_at", None)
    again = msp.sync()
    assert (again.retired, msp.log(again)) == (0, [])


@pytest.mark.one_database
def test_too_few_days_retire_nothing(msp: Msp) -> None:
    msp.import_fleet()
    remove(msp, 0)
    msp.sync()
    age(29, retire_automatically=True)
    assert [msp.sync().retired for _ in range(4)] == [0, 0, 0, 0]


@pytest.mark.parametrize("reason", ["empty", "held"])
@pytest.mark.one_database
def test_a_run_that_shows_no_agent_or_is_held_retires_nothing(msp: Msp, reason: str) -> None:
    msp.import_fleet()
    remove(msp, 0)
    for _ in range(3):
        msp.sync()
    age(31, retire_automatically=True)
    remove(msp, *(range(len(msp.agents)) if reason == "empty" else range(12)))
    run = msp.sync()
    assert run.status is (RunStatus.PARTIAL if reason == "empty" else RunStatus.HELD)
    assert (run.retired, retired()) == (0, set())
    assert set(absent_runs().values()) == {3}


@pytest.mark.parametrize("come_back", [SyncKind.DEVICES, SyncKind.AGENT, SyncKind.STATUS])
def test_an_agent_that_returns_restores_its_asset(msp: Msp, come_back: SyncKind) -> None:
    msp.import_fleet()
    site = msp.truth(msp.agents[0])["site_pk"]
    [agent] = remove(msp, 0)
    msp.sync()
    age(31, retire_automatically=True, retire_after_runs=1)
    msp.sync()
    assert retired() == {agent}
    msp.tactical.control.agents.add(site=site, agent_id=agent)
    run = msp.sync(come_back, agent if come_back is SyncKind.AGENT else "")
    assert (retired(), absent_runs()) == (set(), {})
    [entry] = msp.log(run, "returned")
    assert "retired no more" in str(entry.reason)
    change = last_change(ChangeAction.RESTORED)
    assert (change.run_id, change.column, change.after) == (run.id, "retired_at", None)
    assert change.before is not None
    [told] = events(EventType.DEVICE_RESTORED)
    assert (told.payload["rmm_device_id"], told.payload["missing_since"]) == (agent, None)
    assert len(events(EventType.DEVICE_RETIRED)) == 1


def last_change(action: ChangeAction) -> AssetChange:
    change = db.session.scalar(
        select(AssetChange).where(AssetChange.action == action).order_by(AssetChange.id.desc())
    )
    assert change is not None
    return change
