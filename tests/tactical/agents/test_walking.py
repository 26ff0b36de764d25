"""Walking over every agent of a server that changes meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from portal.tactical.api import AgentPage, Tactical
from portal.tactical.records import TacticalAgent
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import agents_of, talking
from tests.tactical.walks import PAGES, beta, dashboard, pages_asked, remove_after


@pytest.fixture
def api(tactical: SimulatedTactical) -> Iterator[Tactical]:
    with talking(tactical, tactical.api_key) as api:
        yield api


# --- A server that stands still -------------------------------------------------------------


@pytest.mark.parametrize("page_size", [1, 7, 12, 24, 25, 1000])
def test_a_walk_gives_each_agent_once(
    tactical: SimulatedTactical, api: Tactical, page_size: int
) -> None:
    walk = beta(api, page_size)

    agents, bad = agents_of(walk)

    assert [agent.agent_id for agent in agents] == tactical.control.agents.ids()
    assert bad == []
    assert walk.complete
    assert len(pages_asked(tactical)) == -(-24 // page_size)


def test_the_other_list_gives_each_agent_once(tactical: SimulatedTactical, api: Tactical) -> None:
    walk = dashboard(api, 7)

    agents, _ = agents_of(walk)

    assert sorted(a.agent_id for a in agents) == sorted(tactical.control.agents.ids())
    assert walk.complete


@pytest.mark.fleet(agents=0)
def test_a_server_without_agents(tactical: SimulatedTactical, api: Tactical) -> None:
    for walk in (beta(api), dashboard(api)):
        assert agents_of(walk) == ([], [])
        assert walk.complete


def test_a_server_that_cuts_pages_shorter_is_followed(api: Tactical) -> None:
    get = api.get_beta_page
    walk = beta(api, 24)
    sites = api.get_beta_inventory().sites_by_pk()
    walk._get_page = lambda number, _size: get(number, 5, sites)

    agents, _ = agents_of(walk)

    assert len(agents) == 24
    assert walk.complete


def test_the_next_page_is_on_its_way_while_one_is_used(api: Tactical) -> None:
    begun: list[int] = []
    asked = threading.Event()
    walk = beta(api, 8)
    get = walk._get_page

    def note(number: int, page_size: int) -> AgentPage:
        begun.append(number)
        if number == 2:
            asked.set()
        return get(number, page_size)

    walk._get_page = note
    with walk.pages() as pages:
        next(iter(pages))
        assert asked.wait(5)

    assert begun[:2] == [1, 2]


# --- A server that changes ------------------------------------------------------------------


def test_a_row_removed_in_mid_walk_costs_no_other(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    """Row 11 moves to the page that was read already: only another walk finds it."""
    walk = beta(api)
    (gone,) = remove_after(tactical, walk, 1, 3)

    agents, _ = agents_of(walk)

    found = [agent.agent_id for agent in agents]
    assert sorted(found) == sorted([*tactical.control.agents.ids(), gone])
    assert walk.complete
    assert len(pages_asked(tactical)) == 6


@pytest.mark.fleet(agents=21)
def test_a_last_page_that_went_away_is_no_error(tactical: SimulatedTactical, api: Tactical) -> None:
    walk = beta(api)
    remove_after(tactical, walk, 2, 0)

    agents, _ = agents_of(walk)

    assert {agent.agent_id for agent in agents} >= set(tactical.control.agents.ids())
    assert walk.complete
    assert [entry.status for entry in tactical.control.log.entries(PAGES)].count(404) == 1


def test_a_list_that_never_stands_still_is_not_complete(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    walk = beta(api)
    remove_after(tactical, walk, 2, 3, 4, 5)

    agents, _ = agents_of(walk)

    assert not walk.complete
    assert len(agents) == len({agent.agent_id for agent in agents}) == 24
    assert len(pages_asked(tactical)) == 9


def test_an_agent_added_in_mid_walk_is_found(tactical: SimulatedTactical, api: Tactical) -> None:
    walk = beta(api)
    with walk.pages() as coming:
        pages = iter(coming)
        first = next(pages)
        added = tactical.control.agents.add(site=1)
        found = [agent for page in (first, *pages) for agent in page.agents]

    assert added in {agent.agent_id for agent in found if isinstance(agent, TacticalAgent)}
    assert len(found) == 25


def test_agents_given_once_are_left_out_of_the_next_walk(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    walk = beta(api)
    remove_after(tactical, walk, 1, 3)
    with walk.pages() as pages:
        sizes = [len(page.agents) for page in pages]

    assert sum(sizes) == 24
    assert 0 not in sizes[3:]


# --- Rows that cannot be used ---------------------------------------------------------------


@pytest.mark.parametrize("path", [PAGES, "/agents/"])
def test_a_bad_row_costs_itself(tactical: SimulatedTactical, api: Tactical, path: str) -> None:
    walk = beta(api) if path == PAGES else dashboard(api)
    tactical.control.faults.add("bad_rows", path, times=1)

    agents, bad = agents_of(walk)

    assert (len(agents), len(bad)) == (20, 4)
    assert all(record.reason for record in bad)
    assert walk.complete


def test_bad_rows_are_told_once_however_often_the_list_is_walked(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    walk = beta(api)
    remove_after(tactical, walk, 1, 15)
    tactical.control.faults.add("bad_rows", PAGES, query="page=1&", times=None)

    agents, bad = agents_of(walk)

    assert len(bad) == 4
    assert len(agents) == 19
    assert walk.complete
