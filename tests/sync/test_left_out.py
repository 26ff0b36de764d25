"""Syncs of a fleet with an agent that makes Tactical's list of its site fail."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Asset, LeftOutSite
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.integrations import testing
from portal.services.integrations.current import get_integration
from portal.sync.devices.left_out import LEFT_OUT_FOR
from tests.support.msp import Msp, counted
from tests.tactical.agents.test_broken_site import break_agent, elsewhere

pytestmark = pytest.mark.mainly("postgresql")

STATUS, DEVICES = SyncKind.STATUS, SyncKind.DEVICES


@pytest.fixture
def broken(msp: Msp) -> dict[str, Any]:
    """The truth about an agent that broke after its fleet was imported."""
    msp.import_fleet(inventory_source=InventorySource.DASHBOARD)
    return break_agent(msp.tactical)


def left_out() -> set[int]:
    found = set(db.session.scalars(select(LeftOutSite.external_site_id)))
    db.session.rollback()
    return found


def answers(msp: Msp) -> list[int | None]:
    """How the lists of agents were answered since the log was cleared."""
    return [entry.status for entry in msp.tactical.control.log.entries("/agents/")]


@pytest.mark.parametrize("kind", [STATUS, DEVICES])
@pytest.mark.one_database
def test_the_site_is_named_and_everything_else_is_brought_up_to_date(
    msp: Msp, broken: dict[str, Any], kind: SyncKind
) -> None:
    before = msp.assets()
    for agent_id in msp.agents:
        msp.tactical.control.agents.edit(agent_id, public_ip="203.0.113.99")
    run = msp.sync(kind)
    others = elsewhere(msp.tactical, broken)
    assert run.status is RunStatus.PARTIAL
    assert counted(run) == {"seen": len(others), "updated": len(others)}
    [warning] = msp.log(run, "warning")
    assert f"the site {broken['site']}" in str(warning.reason)
    after = msp.assets()
    assert {i for i, row in after.items() if row["wan_ip"] == "203.0.113.99"} == others
    for agent_id in set(after) - others:
        assert after[agent_id]["last_rmm_sync_at"] == before[agent_id]["last_rmm_sync_at"]
        assert after[agent_id]["last_seen_at"] == before[agent_id]["last_seen_at"]
    assert get_integration().last_error is None


def test_nothing_turns_missing_by_such_a_listing(msp: Msp, broken: dict[str, Any]) -> None:
    gone = sorted(elsewhere(msp.tactical, broken))[0]
    msp.tactical.control.agents.remove(gone)
    msp.sync()
    missing = select(Asset.rmm_device_id).where(Asset.missing_since.is_not(None))
    assert set(db.session.scalars(missing)) == set()
    db.session.rollback()
    msp.tactical.control.agents.edit(broken["agent_id"], wmi_patch={"network_config": []})
    assert testing.test_now().ok
    assert msp.sync().status is RunStatus.SUCCESS
    assert set(db.session.scalars(missing)) == {gone}


def test_the_site_is_not_asked_for_again_within_the_hour(msp: Msp, broken: dict[str, Any]) -> None:
    msp.sync(STATUS)
    assert left_out() == {broken["site_pk"]}
    for kind in (STATUS, DEVICES):
        msp.tactical.control.log.clear()
        assert msp.sync(kind).status is RunStatus.PARTIAL
        assert set(answers(msp)) == {200}
    msp.tactical.control.agents.edit(broken["agent_id"], wmi_patch={"network_config": []})
    with transaction() as session:
        session.execute(update(LeftOutSite).values(failed_at=utc_now() - LEFT_OUT_FOR))
    msp.tactical.control.log.clear()
    run = msp.sync(STATUS)
    assert (run.status, run.seen) == (RunStatus.SUCCESS, 24)
    assert answers(msp) == [200]


@pytest.mark.one_database
def test_an_hour_is_counted_from_the_last_failure(msp: Msp, broken: dict[str, Any]) -> None:
    msp.sync(STATUS)
    failed_at = db.session.scalar(select(LeftOutSite.failed_at))
    db.session.rollback()
    msp.sync(STATUS)
    assert db.session.scalar(select(LeftOutSite.failed_at)) == failed_at


@pytest.mark.one_database
def test_a_connection_test_says_what_the_syncs_will_leave_out_and_asks_anew(
    msp: Msp, broken: dict[str, Any]
) -> None:
    test = testing.test_now()
    assert test.ok
    assert str(broken["site"]) in str(test.message)
    assert left_out() == {broken["site_pk"]}
    msp.tactical.control.agents.edit(broken["agent_id"], wmi_patch={"network_config": []})
    assert str(testing.test_now().message).startswith("Everything works")
    assert left_out() == set()


@pytest.mark.one_database
def test_the_beta_list_leaves_nothing_out(msp: Msp, broken: dict[str, Any]) -> None:
    assert testing.test_now().ok
    assert msp.connect(inventory_source=InventorySource.BETA).ok
    run = msp.sync()
    assert (run.status, run.seen) == (RunStatus.SUCCESS, 24)
    refreshed = msp.sync_agent(broken["agent_id"])
    assert (refreshed.status, refreshed.fault) == (RunStatus.FAILED, "broken_agent")
    assert get_integration().last_error is None
