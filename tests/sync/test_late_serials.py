"""Serial numbers that come in late, and those that change under one agent."""

from __future__ import annotations

import pytest

from portal.models import AssetConflict, SyncPlanRow
from portal.models.runs.sync_run import SyncKind
from portal.services.runs.plans import apply_to_end, find_plan_of_run
from tests.support.msp import Msp
from tests.sync.test_reinstalled import all_of, asset_of, pick, silence

pytestmark = pytest.mark.fleet(agents=12)


def test_a_late_serial_number_leads_to_the_older_asset(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    silence(msp, old)
    new = msp.tactical.control.computers.reinstall(old, hardware=False, keep=False)
    run = msp.sync()
    assert (run.created, run.conflicts) == (1, 0)
    msp.tactical.control.computers.report(new)
    run = msp.sync()
    assert run.conflicts == 1
    [question] = all_of(AssetConflict)
    assert (question.kind, question.agent_id) == ("same_serial", new)
    assert (question.asset_id, question.other_asset_id) == (asset_of(new).id, asset_of(old).id)
    assert "has come in now" in question.reason
    assert msp.sync().conflicts == 0


def test_a_plan_with_one_is_applied_whole(msp: Msp) -> None:
    """Its agent has two rows: what its page brings, and the question at the end."""
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    silence(msp, old)
    new = msp.tactical.control.computers.reinstall(old, hardware=False, keep=False)
    msp.sync()
    msp.tactical.control.computers.report(new)
    plan = find_plan_of_run(msp.sync(SyncKind.PREVIEW).id)
    assert plan is not None
    rows = all_of(SyncPlanRow, plan_id=plan.id, agent_id=new)
    assert [str(row.action) for row in rows] == ["update", "conflict"]
    apply_to_end(plan.id)
    outcomes = {row.outcome for row in all_of(SyncPlanRow, plan_id=plan.id)}
    assert outcomes == {"Applied."}
    assert len(all_of(AssetConflict)) == 1
    assert asset_of(new).serial_number == asset_of(old).serial_number


def test_a_new_board_is_the_same_computer(msp: Msp) -> None:
    msp.import_fleet()
    agent = pick(msp)
    msp.sync()
    msp.tactical.control.computers.new_board(agent, "5CG8241KLX")
    run = msp.sync()
    assert (run.updated, run.conflicts) == (1, 0)
    assert all_of(AssetConflict) == []


def test_an_agent_that_two_computers_share_is_asked_about_once(msp: Msp) -> None:
    msp.import_fleet()
    agent = pick(msp)
    msp.sync()
    msp.tactical.control.computers.image(agent, "SECOND-PC", "5CG8241KLX")
    msp.tactical.control.computers.swap(agent)
    assert msp.sync().conflicts == 1
    msp.tactical.control.computers.swap(agent)
    assert msp.sync().conflicts == 1
    [conflict] = all_of(AssetConflict)
    assert (conflict.kind, conflict.agent_id) == ("shared_agent", agent)
    assert conflict.asset_id == asset_of(agent).id
    assert conflict.evidence["serials"][-3:] == ["5CG8241KL0", "5CG8241KLX", "5CG8241KL0"]
