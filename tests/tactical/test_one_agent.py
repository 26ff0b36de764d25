"""One agent by each endpoint that has it, whatever became of its pk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from portal.demo import SimulatedTactical
from portal.tactical.api import AgentPage, Tactical
from portal.tactical.errors import MissingPermission, NotFoundInTactical, UnexpectedAnswer
from portal.tactical.records import TacticalAgent, TacticalSite
from tests.tactical.talking import talking

BETA, LIST = "/beta/v1/agent/", "/agents/"


@pytest.fixture
def api(tactical: SimulatedTactical) -> Iterator[Tactical]:
    with talking(tactical, tactical.api_key) as api:
        yield api


@pytest.fixture
def sites(tactical: SimulatedTactical, api: Tactical) -> dict[int, TacticalSite]:
    found = api.get_beta_inventory().sites_by_pk()
    tactical.control.log.clear()
    return found


def asked(server: SimulatedTactical, api: Tactical) -> list[str]:
    """The paths so far. One more request, as an answer may be logged after it was read."""
    api.keep_alive()
    return [entry.path for entry in server.control.log.entries()][:-1]


def only(page: AgentPage) -> TacticalAgent:
    (agent,) = page.agents
    assert isinstance(agent, TacticalAgent)
    return agent


def test_a_known_pk_needs_one_request(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite]
) -> None:
    agent_id = tactical.control.agents.ids()[4]

    agent = only(api.get_agent_from_beta(agent_id, 5, sites))

    assert (agent.agent_id, agent.pk) == (agent_id, 5)
    assert asked(tactical, api) == [f"{BETA}5/"]


@pytest.mark.parametrize("pk", [None, 7, 99999])
def test_a_pk_that_is_unknown_or_of_another_is_looked_up(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite], pk: int | None
) -> None:
    """After a restore of Tactical's database, pks name other agents."""
    agent_id = tactical.control.agents.ids()[4]

    agent = only(api.get_agent_from_beta(agent_id, pk, sites))

    assert (agent.agent_id, agent.pk) == (agent_id, 5)
    assert asked(tactical, api)[-2:] == [LIST, f"{BETA}5/"]


def test_an_agent_that_is_gone(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite]
) -> None:
    agent_id = tactical.control.agents.ids()[4]
    tactical.control.agents.remove(agent_id)

    with pytest.raises(NotFoundInTactical):
        api.get_agent_from_beta(agent_id, 5, sites)
    with pytest.raises(NotFoundInTactical):
        api.get_agent_from_dashboard(agent_id, sites)


@pytest.mark.parametrize(
    "agent_id",
    [
        "",
        ".",
        "..",
        "short",
        "../" * 10,
        "." * 30,
        "../clients/1/?x=" + "y" * 20,
        "x" * 20 + "/notes",
        "x" * 20 + "?detail=false",
        "x" * 20 + "#",
        "x" * 20 + "%2e%2e%2f",
        "ö" * 30,
        "x" * 25 + "\r\nX-Injected: 1",
        "\ud800" * 21,
    ],
)
def test_what_is_no_agent_id_reaches_no_other_address(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite], agent_id: str
) -> None:
    with pytest.raises(NotFoundInTactical):
        api.get_agent_from_dashboard(agent_id, sites)
    with pytest.raises(NotFoundInTactical):
        api.get_agent_from_beta(agent_id, None, sites)

    assert all(
        entry.status == 404 or (entry.path, entry.query) == (LIST, "detail=false")
        for entry in tactical.control.log.entries()
    )
    assert tactical.control.server.crashes() == []


def test_another_agent_in_the_answer_is_not_taken_for_the_one_asked_for(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite]
) -> None:
    first, second = tactical.control.agents.ids()[:2]
    body = {"agent_id": second, "hostname": "X", "site": 1}
    tactical.control.faults.add("json", f"{LIST}{first}/", body=body, times=None)

    with pytest.raises(UnexpectedAnswer):
        api.get_agent_from_dashboard(first, sites)


def test_an_agent_outside_the_role_is_a_missing_permission(
    tactical: SimulatedTactical, sites: dict[int, TacticalSite]
) -> None:
    hidden = next(a for a in tactical.control.truth.agents() if a["client_pk"] != 1)
    with (
        talking(tactical, tactical.control.access.add_key(clients=[1])) as api,
        pytest.raises(MissingPermission),
    ):
        api.get_agent_from_dashboard(hidden["agent_id"], sites)


@pytest.mark.parametrize("path", [f"{BETA}5/", "/agents/*"])
@pytest.mark.parametrize("kind", ["drop", "truncated", "cut_json", "html", "empty"])
def test_an_agent_that_came_broken_is_asked_for_again(
    tactical: SimulatedTactical,
    api: Tactical,
    sites: dict[int, TacticalSite],
    path: str,
    kind: str,
) -> None:
    agent_id = tactical.control.agents.ids()[4]
    tactical.control.faults.add(kind, path, times=2)

    if path.startswith(BETA):
        page = api.get_agent_from_beta(agent_id, 5, sites)
    else:
        page = api.get_agent_from_dashboard(agent_id, sites)

    assert only(page).agent_id == agent_id


def test_the_cheapest_listing(tactical: SimulatedTactical, api: Tactical) -> None:
    tactical.control.faults.add("bad_rows", LIST, times=1)
    ids = tactical.control.agents.ids()

    assert api.list_agent_pks() == {agent_id: at for at, agent_id in enumerate(ids[4:], 5)}
    assert len(api.list_agent_pks()) == 24


def test_who_is_absent_from_the_listing(tactical: SimulatedTactical, api: Tactical) -> None:
    gone, kept = tactical.control.agents.ids()[:2]
    tactical.control.agents.remove(gone)

    assert api.find_absent([gone, kept]) == {gone}


@pytest.mark.parametrize("fault", [{"kind": "bad_rows"}, {"kind": "json", "body": []}])
def test_a_listing_that_is_no_evidence_makes_nobody_absent(
    tactical: SimulatedTactical, api: Tactical, fault: dict[str, Any]
) -> None:
    tactical.control.faults.add(**fault, path=LIST)

    assert api.find_absent(["x" * 40]) == set()


def test_what_is_observed_has_two_clocks(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite]
) -> None:
    api.session.clock_skew = timedelta(hours=3)

    page = api.get_agent_from_beta(tactical.control.agents.ids()[0], 1, sites)

    assert page.server_now == page.observed_at  # the server's Date header agrees with our clock
