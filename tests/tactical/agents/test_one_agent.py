"""One agent by each endpoint that has it, whatever became of its pk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.tactical.api import AgentPage, Tactical
from portal.tactical.errors import MissingPermission, NotFoundInTactical
from portal.tactical.record_errors import UnusableRecord
from portal.tactical.records import TacticalAgent, TacticalSite
from tactical_simulator import SimulatedTactical
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


def test_an_agent_needs_one_request(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite]
) -> None:
    agent_id = tactical.control.agents.ids()[4]
    truth = tactical.control.truth.agent(agent_id=agent_id)

    detail = api.get_agent(agent_id)

    agent = only(detail.read(sites))
    assert (agent.agent_id, agent.site_pk) == (agent_id, truth["site_pk"])
    assert (detail.organization_name, detail.site_name) == (truth["client"], truth["site"])
    assert asked(tactical, api) == [f"{LIST}{agent_id}/"]


def test_the_beta_list_finds_an_agent_among_its_namesakes(
    tactical: SimulatedTactical, api: Tactical, sites: dict[int, TacticalSite]
) -> None:
    agents = tactical.control.agents.ids()
    for agent_id in agents[3:6]:
        tactical.control.agents.edit(agent_id=agent_id, hostname="PC & 1")

    page = api.find_beta_agent(agents[4], "PC & 1", sites)

    assert page is not None
    assert (only(page).agent_id, only(page).pk) == (agents[4], 5)
    assert api.find_beta_agent(agents[4], "another", sites) is None
    assert asked(tactical, api) == [BETA, BETA]


def test_an_agent_that_is_gone(tactical: SimulatedTactical, api: Tactical) -> None:
    agent_id = tactical.control.agents.ids()[4]
    tactical.control.agents.remove(agent_id)

    with pytest.raises(NotFoundInTactical):
        api.get_agent(agent_id)


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
    tactical: SimulatedTactical, api: Tactical, agent_id: str
) -> None:
    with pytest.raises(NotFoundInTactical):
        api.get_agent(agent_id)

    assert all(entry.status == 404 for entry in tactical.control.log.entries())
    assert tactical.control.server.crashes() == []


def test_another_agent_in_the_answer_is_not_taken_for_the_one_asked_for(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    first, second = tactical.control.agents.ids()[:2]
    body = {"agent_id": second, "hostname": "X", "site": 1}
    tactical.control.faults.add("json", f"{LIST}{first}/", body=body, times=None)

    with pytest.raises(UnusableRecord):
        api.get_agent(first)


def test_an_agent_outside_the_role_is_a_missing_permission(tactical: SimulatedTactical) -> None:
    hidden = next(a for a in tactical.control.truth.agents() if a["client_pk"] != 1)
    with (
        talking(tactical, tactical.control.access.add_key(clients=[1])) as api,
        pytest.raises(MissingPermission),
    ):
        api.get_agent(hidden["agent_id"])


@pytest.mark.parametrize("path", [BETA, "/agents/*"])
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

    if path == BETA:
        hostname = tactical.control.truth.agent(agent_id=agent_id)["hostname"]
        page = api.find_beta_agent(agent_id, hostname, sites)
    else:
        page = api.get_agent(agent_id).read(sites)

    assert page is not None
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


def test_what_is_observed_has_two_clocks(tactical: SimulatedTactical, api: Tactical) -> None:
    api.session.answered_at = datetime.now(UTC) + timedelta(hours=3)

    detail = api.get_agent(tactical.control.agents.ids()[0])

    # The server's Date header agrees with our clock by now.
    assert detail.observed_at < detail.server_now < datetime.now(UTC)
