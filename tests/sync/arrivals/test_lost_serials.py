"""The serial number of an agent that waits disappears: Tactical has forgotten its hardware."""

from __future__ import annotations

import pytest

from portal.models import AgentSighting, AssetConflict
from portal.models.integrations.integration import InventorySource
from portal.models.runs.sync_run import SyncKind
from tests.support.msp import Msp
from tests.sync.arrivals.test_late_merges import come_back_bare
from tests.sync.test_reinstalled import SOURCES, all_of, asset_of, pick

SERIAL = "5CG8241KL0"

pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.one_database]


def forget_hardware(msp: Msp, agent_id: str) -> None:
    msp.tactical.control.agents.edit(agent_id=agent_id, wmi_detail={})


@pytest.mark.parametrize("source", SOURCES)
def test_an_agent_without_an_asset_gets_one(msp: Msp, source: InventorySource) -> None:
    msp.import_fleet(inventory_source=source)
    old = pick(msp)
    msp.sync()
    new = msp.tactical.control.computers.reinstall(old)
    assert msp.sync().waiting == 1
    forget_hardware(msp, new)
    swept = msp.sync(SyncKind.STATUS)
    assert (swept.waiting, swept.created) == (0, 0), "its asset is a device sync's to make"
    run = msp.sync()
    assert (run.waiting, run.created, run.relinked) == (0, 1, 0)
    assert asset_of(new).id != asset_of(old).id
    assert all_of(AgentSighting) == []
    msp.tactical.control.server.advance(seconds=600)
    msp.tactical.control.computers.new_board(new, SERIAL)
    assert msp.sync().relinked == 1, "its serial number came in late, like any other's"


def test_one_with_an_asset_keeps_it_and_is_judged_when_the_number_is_back(msp: Msp) -> None:
    msp.import_fleet()
    old = pick(msp)
    msp.sync()
    known = asset_of(old).id
    new = come_back_bare(msp, old, minutes=0)
    own = asset_of(new).id
    msp.tactical.control.computers.report(new)
    assert msp.sync().waiting == 1
    forget_hardware(msp, new)
    run = msp.sync()
    assert (run.waiting, run.relinked, run.conflicts) == (0, 0, 0)
    assert asset_of(new).id == own
    assert (all_of(AgentSighting), asset_of(new).serial_number) == ([], None)
    msp.tactical.control.computers.new_board(new, SERIAL)
    assert msp.sync().waiting == 1
    msp.tactical.control.server.advance(seconds=600)
    assert msp.sync().relinked == 1
    assert asset_of(new).id == known
    assert all(each.settled_at for each in all_of(AssetConflict))
