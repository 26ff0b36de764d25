"""New agents without a serial number that look like a computer that is gone are asked about."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import AssetConflict
from portal.models.assets.conflict import Settlement
from portal.models.runs.sync_run import SyncKind
from portal.services.runs.plans import apply_to_end, find_plan_of_run
from portal.services.runs.reverts import revert_to_end
from tests.support.msp import Msp
from tests.support.statements import counting
from tests.sync.test_reinstalled import all_of, asset_of, silence

pytestmark = [pytest.mark.fleet(agents=12), pytest.mark.mainly("postgresql")]
JUNK = "Default string"


def add(msp: Msp, like: str, **columns: Any) -> str:
    """A new agent at the site of another one."""
    truth = msp.truth(like)
    values = {"site": truth["site_pk"], "plat": truth["plat"], "hostname": "OTHER-1"} | columns
    new: str = msp.tactical.control.agents.add(**values)
    return new


@pytest.mark.parametrize("removed", [True, False], ids=["gone", "silent"])
@pytest.mark.one_database
def test_the_name_of_one_that_is_gone_or_silent_is_suggested(msp: Msp, removed: bool) -> None:
    msp.import_fleet()
    old = msp.agents[0]
    msp.tactical.control.computers.new_board(old, JUNK)
    silence(msp, old)
    msp.sync()
    name = asset_of(old).name
    new = msp.tactical.control.computers.reinstall(
        old, keep=not removed, hardware=False, hostname=name.lower()
    )
    with counting() as statements:
        run = msp.sync()
    assert (run.created, run.conflicts, run.relinked) == (1, 0, 0)
    assert [entry.external_id for entry in msp.log(run, "suggestion")] == [new]
    [question] = all_of(AssetConflict)
    assert (question.kind, question.agent_id) == ("same_name", new)
    assert (question.asset_id, question.other_asset_id) == (asset_of(new).id, asset_of(old).id)
    assert name.lower() in question.reason
    assert len([text for text in statements if "lower(assets" in text]) == 1
    assert msp.sync().conflicts == 0


@pytest.mark.one_database
def test_the_name_of_one_that_runs_is_not(msp: Msp) -> None:
    msp.import_fleet()
    old = msp.agents[0]
    msp.tactical.control.agents.edit(agent_id=old, checkin=0)
    add(msp, old, hostname=asset_of(old).name)
    run = msp.sync()
    assert (run.created, run.conflicts) == (1, 0)


@pytest.mark.one_database
def test_an_equal_address_is_not(msp: Msp) -> None:
    msp.import_fleet()
    old = msp.agents[0]
    silence(msp, old)
    add(msp, old, public_ip=msp.truth(old)["public_ip"])
    run = msp.sync()
    assert (run.created, all_of(AssetConflict)) == (1, [])


def test_it_is_asked_with_the_rows_of_a_plan_that_are_applied(msp: Msp) -> None:
    msp.import_fleet()
    old = msp.agents[0]
    silence(msp, old)
    new = msp.tactical.control.computers.reinstall(old, hardware=False)
    msp.tactical.control.agents.edit(agent_id=new, hostname=asset_of(old).name)
    plan = find_plan_of_run(msp.sync(SyncKind.PREVIEW).id)
    assert plan is not None
    assert apply_to_end(plan.id, [new]).created == 1
    assert [each.kind for each in all_of(AssetConflict)] == ["same_name"]


@pytest.mark.one_database
def test_nothing_is_asked_any_more_about_an_agent_that_is_gone(msp: Msp) -> None:
    msp.import_fleet()
    new = add(msp, msp.agents[0])
    run = msp.sync()
    revert_to_end(run.id)
    msp.sync()
    [question] = all_of(AssetConflict)
    assert (question.agent_id, question.asset_id, question.settled_at) == (new, None, None)
    msp.tactical.control.agents.remove(agent_id=new)
    msp.sync()
    [question] = all_of(AssetConflict)
    assert question.settled_as is Settlement.GONE
