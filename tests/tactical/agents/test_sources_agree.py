"""Both lists of agents give the same facts, and they are those of the server."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import UNSET

from portal.tactical.agents.source import BETA, DASHBOARD, choose_source
from portal.tactical.records import TacticalAgent
from portal.tactical.status import AgentStatus, status_by_age
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import agents_of, talking

FLEET = pytest.mark.fleet(agents=300, clients=6, sites=18)
BETA_ONLY = {"ram_gb", "offline_minutes", "overdue_minutes"}
DASHBOARD_ONLY = {"status"}


def read_all(server: SimulatedTactical, source: str) -> dict[str, TacticalAgent]:
    with talking(server, server.api_key) as tactical:
        chosen = choose_source(tactical, source)
        assert chosen.name == source
        walk = chosen.walk(tactical, 70)
        agents, bad = agents_of(walk)
    assert bad == []
    assert walk.complete
    assert len(agents) == len({agent.agent_id for agent in agents})
    return {agent.agent_id: agent for agent in agents}


@FLEET
def test_both_sources_agree_where_both_carry_a_field(tactical: SimulatedTactical) -> None:
    beta, dashboard = read_all(tactical, BETA), read_all(tactical, DASHBOARD)

    assert beta.keys() == dashboard.keys()
    assert len(beta) == 300
    names = {field.name for field in fields(TacticalAgent)}
    shared = names - BETA_ONLY - DASHBOARD_ONLY - {"pk"}
    for agent_id, agent in beta.items():
        other = dashboard[agent_id]
        assert {name: getattr(agent, name) for name in shared} == {
            name: getattr(other, name) for name in shared
        }
        assert all(getattr(agent, name) is not UNSET for name in shared | BETA_ONLY)
        assert all(getattr(other, name) is UNSET for name in BETA_ONLY)


@FLEET
@pytest.mark.parametrize("source", [BETA, DASHBOARD])
def test_every_agent_is_as_the_server_knows_it(tactical: SimulatedTactical, source: str) -> None:
    found = read_all(tactical, source)

    truths = tactical.control.truth.agents()
    assert len(truths) == len(found)
    for truth in truths:
        agent = found[truth["agent_id"]]
        assert as_truth(agent) == {name: expected(truth, name) for name in as_truth(agent)}
        if source == BETA:
            assert agent.pk == truth["pk"]
            assert agent.ram_gb == truth["total_ram"]
            assert agent.offline_minutes == truth["offline_time"]
            assert agent.overdue_minutes == truth["overdue_time"]
            assert status_of(agent) == truth["status"]
        else:
            assert agent.status == truth["status"]


@FLEET
def test_the_fleet_is_as_varied_as_the_comparison_needs(tactical: SimulatedTactical) -> None:
    truths = tactical.control.truth.agents()

    assert {truth["plat"] for truth in truths} == {"windows", "linux", "darwin"}
    assert {truth["status"] for truth in truths} == {"online", "offline", "overdue"}
    for name in ("serial_number", "logged_in_user", "graphics", "make_model"):
        assert {bool(truth[name]) for truth in truths} == {True, False} or name == "make_model"


@FLEET
def test_one_agent_is_the_same_as_in_the_list(tactical: SimulatedTactical) -> None:
    listed = read_all(tactical, BETA)
    with talking(tactical, tactical.api_key) as api:
        sites = choose_source(api, BETA).inventory.sites_by_pk()
        for agent_id in tactical.control.agents.ids()[::23]:
            detail = api.get_agent(agent_id)
            page = api.find_beta_agent(agent_id, detail.hostname, sites)
            assert page is not None
            (one,), (other,) = page.agents, detail.read(sites).agents
            assert isinstance(one, TacticalAgent)
            assert isinstance(other, TacticalAgent)
            assert one == listed[agent_id]
            assert other.serial_number == one.serial_number
            assert without(other, "pk", "serial_number", "status") == without(
                listed[agent_id], "pk", "serial_number", "status"
            )


def without(agent: TacticalAgent, *names: str) -> dict[str, Any]:
    return {
        field.name: getattr(agent, field.name) for field in fields(agent) if field.name not in names
    }


def as_truth(agent: TacticalAgent) -> dict[str, Any]:
    """The agent's fields by the names that the server's truth has for them."""
    return {
        "hostname": agent.hostname,
        "client_pk": agent.organization_pk,
        "site_pk": agent.site_pk,
        "site": agent.site_name,
        "monitoring_type": agent.monitoring_type,
        "plat": agent.plat,
        "operating_system": agent.operating_system,
        "version": agent.version,
        "make_model": agent.make_model,
        "cpu_model": agent.cpu,
        "graphics": agent.graphics,
        "physical_disks": agent.physical_disks,
        "local_ips": agent.local_ips,
        "public_ip": agent.public_ip,
        "serial_number": agent.serial_number,
        "logged_in_user": agent.logged_in_user,
        "boot_time": agent.boot_time,
        "last_seen": agent.last_seen,
        "description": agent.description,
        "maintenance_mode": agent.maintenance_mode,
        "needs_reboot": agent.needs_reboot,
    }


def expected(truth: dict[str, Any], name: str) -> Any:
    value = truth[name]
    if name in ("cpu_model", "physical_disks"):
        return tuple(value)
    if name == "graphics" and isinstance(value, list):
        return ", ".join(value)
    if name == "boot_time":
        return None if value is None else datetime.fromtimestamp(value, UTC)
    if name == "last_seen":
        return value
    return "" if value is None else value


def status_of(agent: TacticalAgent) -> AgentStatus:
    now = datetime.now(UTC)
    return status_by_age(agent.last_seen, agent.offline_minutes, agent.overdue_minutes, now)
