"""Serial numbers that change under one agent."""

from __future__ import annotations

import pytest

from portal.models import AssetConflict
from tests.support.msp import Msp
from tests.sync.test_reinstalled import all_of, asset_of, pick

pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.mainly("postgresql")]


@pytest.mark.one_database
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
