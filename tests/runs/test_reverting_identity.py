"""Taking back a run that decided whose computer an agent runs on."""

from __future__ import annotations

import pytest

from portal.models.runs.sync_run import RunStatus, SyncKind
from tests.runs.test_reverting import exported, revert
from tests.support.msp import Msp, counted

SERIAL = "5CG8241KL0"

pytestmark = pytest.mark.one_database


def import_with_serial(msp: Msp) -> str:
    """One of the agents, whose serial number is real."""
    msp.import_fleet()
    agent_id = msp.agents[0]
    msp.tactical.control.computers.new_board(agent_id, SERIAL)
    msp.sync()
    return agent_id


def test_a_clone_whose_asset_was_taken_back_does_not_look_like_a_reinstallation(msp: Msp) -> None:
    control, original = msp.tactical.control, import_with_serial(msp)
    clone = control.computers.clone(original)
    msp.sync(SyncKind.STATUS)
    control.server.advance(seconds=600)
    control.agents.edit(agent_id=original, checkin=0)
    run = msp.sync()
    assert counted(run) | {"created": 1, "conflicts": 1} == counted(run)
    assert revert(run).status is RunStatus.SUCCESS
    control.agents.remove(original)
    control.server.advance(seconds=120)
    control.agents.edit(agent_id=clone, hostname="CLONE", checkin=0)  # so it is held back no more
    run = msp.sync()
    assert counted(run) | {"created": 1, "conflicts": 1, "missing": 1} == counted(run)
    assert {original, clone} <= exported(msp).keys()


def test_a_revived_agent_gets_the_asset_back_that_was_taken(msp: Msp) -> None:
    control, old = msp.tactical.control, import_with_serial(msp)
    control.agents.seen(agent_id=old, seconds_ago=3600)
    control.computers.reinstall(old)
    assert msp.sync().relinked == 1
    control.server.advance(seconds=120)
    control.agents.edit(agent_id=old, checkin=0)
    run = msp.sync()
    assert counted(run) | {"created": 1, "conflicts": 1} == counted(run)
    after = exported(msp)
    again = revert(revert(run))
    assert (again.status, msp.log(again, "skipped")) == (RunStatus.SUCCESS, [])
    assert exported(msp) == after
