"""Whatever stands between Tactical and us may write its JSON anew: what we read is the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from portal.tactical.agents.walk import BetaWalk
from portal.tactical.api import Tactical
from portal.tactical.reading.rows import read_dashboard_agent
from portal.tactical.records import BadRecord
from tactical_simulator import SimulatedTactical
from tactical_simulator.transport.spelling import Spelling
from tests.tactical.talking import talking


@pytest.fixture
def standing(tactical: SimulatedTactical) -> SimulatedTactical:
    for agent_id in tactical.control.agents.ids():
        tactical.control.agents.edit(agent_id=agent_id, description="naïve 🎉 },{")
    return tactical


def read_all(api: Tactical) -> dict[str, Any]:
    beta, dashboard = api.get_beta_inventory(), api.get_dashboard_inventory()
    walk = BetaWalk(api, 7, beta.sites_by_pk())
    with walk.pages() as pages:
        agents = [agent for page in pages for agent in page.agents]
    assert walk.complete
    places = dashboard.places()
    rows = [read_dashboard_agent(row, places) for row in api.stream_dashboard_agents({})]
    software = list(api.software.stream())
    assert not any(isinstance(each, BadRecord) for each in [*agents, *rows, *software])
    return {
        "inventories": [beta, dashboard],
        "pks": api.list_agent_pks(),
        "beta": agents,
        "dashboard": rows,
        "software": software,
    }


def test_every_spelling_reads_the_same(standing: SimulatedTactical) -> None:
    found = {}
    for spelling in Spelling:
        standing.control.server.set(spelling=str(spelling))
        with talking(standing, standing.api_key) as api:
            found[spelling] = msgspec.to_builtins(read_all(api))
    assert found[Spelling.COMPACT]["beta"]
    assert found[Spelling.BLANKS] == found[Spelling.COMPACT]
    assert found[Spelling.REORDERED] == found[Spelling.COMPACT]


@pytest.mark.parametrize("spelling", Spelling)
@pytest.mark.parametrize("path", ["/beta/v1/agent/", "/agents/"])
def test_bad_rows_cost_themselves_in_every_spelling(
    tactical: SimulatedTactical, spelling: Spelling, path: str
) -> None:
    tactical.control.server.set(spelling=str(spelling))
    tactical.control.faults.add("bad_rows", path, times=1)
    with talking(tactical, tactical.api_key) as api:
        if path == "/agents/":
            places = api.get_dashboard_inventory().places()
            found: list[Any] = [
                read_dashboard_agent(row, places) for row in api.stream_dashboard_agents({})
            ]
        else:
            sites = api.get_beta_inventory().sites_by_pk()
            found = list(api.get_beta_page(1, 1000, sites).agents)
    assert sum(isinstance(each, BadRecord) for each in found) == 4
    assert len(found) == len(tactical.control.agents.ids())
