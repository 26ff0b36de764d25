"""A page is written by a fixed handful of statements, whatever its size."""

from __future__ import annotations

import pytest

from portal.models import LeftOutSite
from portal.models.integrations.integration import InventorySource
from tests.support.msp import Msp
from tests.support.statements import asked, counting

pytestmark = pytest.mark.mainly("postgresql")

MOST_A_PAGE = 16
MOST_A_QUIET_RUN = 38
"""Of one page that changes nothing, by an API key; four of them record who asked for the run,
and one counts the organizations that its event says are held."""


@pytest.mark.fleet(agents=120)
@pytest.mark.parametrize("change", ["create", "nothing", "everything"])
def test_statements_do_not_grow_with_the_rows_of_a_page(msp: Msp, change: str) -> None:
    pages = 4
    msp.import_fleet(inventory_source=InventorySource.BETA, page_size=120 // pages)
    if change == "create":
        site = msp.truth(msp.agents[0])["site_pk"]
        for _ in range(60):
            msp.tactical.control.agents.add(site=site)
        pages = 6
    elif change == "everything":
        for number, agent in enumerate(msp.agents):
            msp.tactical.control.agents.edit(agent_id=agent, version="9.9.9")
            msp.tactical.control.agents.seen(agent_id=agent, seconds_ago=number * 60)
    with counting() as statements:
        run = msp.sync()
    assert run.error is None
    assert len(statements) <= pages * MOST_A_PAGE + 50, "\n".join(statements)


@pytest.mark.fleet(agents=120)
def test_nothing_is_written_of_agents_that_did_not_change_but_the_time(msp: Msp) -> None:
    msp.import_fleet(page_size=120)
    with counting() as statements:
        msp.sync()
    on_assets = [text for text in statements if "UPDATE assets" in text]
    assert 1 <= len(on_assets) <= 4
    assert not [text for text in statements if text.startswith("INSERT INTO assets")]


@pytest.mark.fleet(agents=3)
def test_a_run_asks_for_little_beside_its_pages(msp: Msp) -> None:
    msp.import_fleet(inventory_source=InventorySource.DASHBOARD)
    with counting() as statements:
        msp.sync()
    found = asked(statements)
    assert len(found) <= MOST_A_QUIET_RUN, "\n".join(found)


@pytest.mark.fleet(agents=3)
@pytest.mark.parametrize("source", [InventorySource.BETA, InventorySource.DASHBOARD])
def test_sites_to_leave_out_are_looked_up_for_the_list_that_needs_them(
    msp: Msp, source: InventorySource
) -> None:
    msp.import_fleet(inventory_source=source)
    with counting() as statements:
        msp.sync()
    is_looked_up = any(LeftOutSite.__tablename__ in text for text in statements)
    assert is_looked_up == (source is InventorySource.DASHBOARD)
