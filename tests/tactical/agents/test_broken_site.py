"""A fleet with an agent that Tactical cannot list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from portal.tactical.agents.fleet import MOST_BROKEN, DashboardFleet
from portal.tactical.errors import ServerError
from portal.tactical.http.request import HURRIED_FLEET
from portal.tactical.reading.rows import read_presence
from portal.tactical.record_errors import BrokenAgent, may_be_of_record
from portal.tactical.records import BadRecord
from tactical_simulator import SimulatedTactical
from tests.tactical.probing import run
from tests.tactical.talking import agents_of, talking
from tests.tactical.walks import dashboard

Row = dict[str, Any]


def break_agent(server: SimulatedTactical, place: int = 0) -> Row:
    """The truth about an agent of Windows, which no list of Tactical's can show any more."""
    windows = [each for each in server.control.truth.agents() if each["plat"] == "windows"]
    agent: Row = windows[place]
    server.control.agents.edit(agent["agent_id"], wmi_patch={"network_config": None})
    return agent


def elsewhere(server: SimulatedTactical, *agents: Row) -> set[str]:
    """Who does not share a site with these."""
    sites = {agent["site_pk"] for agent in agents}
    return {a["agent_id"] for a in server.control.truth.agents() if a["site_pk"] not in sites}


def read(server: SimulatedTactical, left_out: Collection[int] = ()) -> tuple[Any, list[str]]:
    """The fleet after it was read, and the ids that came."""
    server.control.log.clear()
    with talking(server, server.api_key) as api:
        fleet = DashboardFleet(api, left_out)
        found = list(fleet.stream(read_presence))
    assert not [each for each in found if isinstance(each, BadRecord)]
    return fleet, [each.agent_id for each in found if not isinstance(each, BadRecord)]


def queries(server: SimulatedTactical) -> list[str]:
    return [entry.query for entry in server.control.log.entries("/agents/")]


def test_the_site_of_the_broken_agent_is_left_out_and_named(tactical: SimulatedTactical) -> None:
    agent = break_agent(tactical)

    fleet, found = read(tactical)

    assert sorted(found) == sorted(elsewhere(tactical, agent))
    [site] = fleet.broken
    assert (site.pk, site.name, site.is_new) == (agent["site_pk"], agent["site"], True)
    assert agent["site"] in site.describe()
    assert site.organization in site.describe()
    asked = queries(tactical)
    assert asked[0] == ""
    assert asked.count(f"site={agent['site_pk']}") == 2
    assert len(asked) == 1 + 3 + 1 + sum(
        len(each["sites"])
        for each in tactical.control.truth.clients()
        if each["pk"] == agent["client_pk"]
    )


def test_a_site_that_is_known_to_fail_is_not_asked_for(tactical: SimulatedTactical) -> None:
    agent = break_agent(tactical)

    fleet, found = read(tactical, {agent["site_pk"]})

    assert sorted(found) == sorted(elsewhere(tactical, agent))
    assert [(site.pk, site.is_new) for site in fleet.broken] == [(agent["site_pk"], False)]
    assert {entry.status for entry in tactical.control.log.entries()} == {200}
    assert f"site={agent['site_pk']}" not in queries(tactical)


def test_a_left_out_site_that_is_gone_leaves_nothing_out(tactical: SimulatedTactical) -> None:
    fleet, found = read(tactical, {999})

    assert sorted(found) == sorted(tactical.control.agents.ids())
    assert fleet.broken == []


def test_a_failure_that_passes_leaves_nothing_out(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("status", "/agents/", status=500, times=2)

    fleet, found = read(tactical)

    assert sorted(found) == sorted(tactical.control.agents.ids())
    assert fleet.broken == []


@pytest.mark.fleet(clients=2, sites=MOST_BROKEN + 6, agents=60)
def test_a_server_that_fails_at_many_sites_is_an_error(tactical: SimulatedTactical) -> None:
    by_site = {a["site_pk"]: a["agent_id"] for a in tactical.control.truth.agents()}
    assert len(by_site) > MOST_BROKEN
    for agent_id in by_site.values():
        tactical.control.agents.edit(agent_id, plat="windows", wmi_patch={"network_config": 7})

    with pytest.raises(ServerError):
        read(tactical)

    assert len(queries(tactical)) <= 1 + 2 + 2 * (MOST_BROKEN + 6)


def test_a_walk_over_such_a_fleet_is_not_complete(tactical: SimulatedTactical) -> None:
    agent = break_agent(tactical)
    with talking(tactical, tactical.api_key) as api:
        walk = dashboard(api, 5)
        agents, bad = agents_of(walk)

    assert {each.agent_id for each in agents} == elsewhere(tactical, agent)
    assert bad == []
    assert not walk.complete


def test_the_cheap_listing_knows_no_such_failure(tactical: SimulatedTactical) -> None:
    break_agent(tactical)
    with talking(tactical, tactical.api_key) as api:
        assert set(api.list_agent_pks()) == set(tactical.control.agents.ids())


def test_the_broken_agent_itself_is_an_error_of_its_own(tactical: SimulatedTactical) -> None:
    agent = break_agent(tactical)
    with (
        talking(tactical, tactical.api_key) as api,
        pytest.raises(BrokenAgent, match="restart the Tactical agent") as caught,
    ):
        api.get_agent(agent["agent_id"])

    assert may_be_of_record(caught.value)


def test_the_connection_test_asks_as_the_syncs_do_and_names_the_site(
    tactical: SimulatedTactical,
) -> None:
    agent = break_agent(tactical)

    result, steps = run(tactical)

    [step] = [step for step in steps if step.name == "agents"]
    assert step.state == "note"
    assert f"the site {agent['site']}" in step.message
    assert result.ok
    assert [site.pk for site in result.broken_sites] == [agent["site_pk"]]
    assert "Everything works" not in result.message
    assert agent["site"] in result.message
    assert result.agent_ids == set(tactical.control.agents.ids())


def test_a_fleet_that_takes_longer_than_a_person_waits_is_a_note(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(HURRIED_FLEET, idle=0.2)
    monkeypatch.setattr("portal.tactical.http.session.HURRIED_FLEET", impatient)
    tactical.control.faults.add("slow", "/agents/", after=1, seconds=1, times=None)

    result, steps = run(tactical)

    assert result.ok
    assert {step.name: step.state for step in steps}["agents"] == "note"
