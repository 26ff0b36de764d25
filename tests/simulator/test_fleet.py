"""Fleets follow from their seed, have the weight of real ones, and look alive."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest

import tactical_simulator
from tactical_simulator import FleetSpec, SimulatedTactical
from tactical_simulator.app import create_tactical, state_of
from tactical_simulator.control import Control
from tactical_simulator.state import State
from tests.simulator.api import Api

SPEC = FleetSpec(agents=300, epoch=1_795_000_000.0, frozen=True)


def made(spec: FleetSpec) -> tuple[State, Control]:
    state = state_of(create_tactical(spec))
    return state, Control(state)


def test_equal_specs_hold_equal_data() -> None:
    one, other = made(SPEC)[1], made(SPEC)[1]
    assert one.truth.agents() == other.truth.agents()
    assert one.truth.clients() == other.truth.clients()
    assert one.truth.software() == other.truth.software()


def test_another_seed_shares_nothing() -> None:
    controls = [made(replace(SPEC, seed=seed))[1] for seed in range(1, 6)]
    for one, other in combinations(controls, 2):
        assert not set(one.agents.ids()) & set(other.agents.ids())
        names = [{c["name"] for c in control.truth.clients()} for control in (one, other)]
        assert not names[0] & names[1]


def test_agents_are_made_when_asked_for() -> None:
    state, _ = made(replace(SPEC, agents=50_000))
    small = made(SPEC)[0]
    assert state.agents.get(17) == small.agents.get(17)
    assert len(state.agents) == 50_000


def test_default_fleet_is_a_believable_mix() -> None:
    control = made(FleetSpec())[1]
    statuses = Counter(agent["status"] for agent in control.truth.agents())
    assert sum(statuses.values()) == 250
    assert statuses["online"] == pytest.approx(188, abs=4)
    assert statuses["offline"] == pytest.approx(25, abs=4)
    clients = control.truth.clients()
    assert (len(clients), sum(len(client["sites"]) for client in clients)) == (6, 18)
    assert min(client["agents"] for client in clients) > 15


def test_simulator_imports_nothing_of_the_portal() -> None:
    for path in Path(tactical_simulator.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.partition(".")[0] != "portal", path


def test_mix() -> None:
    agents = made(FleetSpec(agents=3000))[1].truth.agents()
    plats = Counter(agent["plat"] for agent in agents)
    statuses = Counter(agent["status"] for agent in agents)
    assert plats["windows"] == pytest.approx(2400, abs=100)
    assert plats["linux"] == pytest.approx(300, abs=60)
    assert statuses["online"] == pytest.approx(2250, abs=120)
    assert statuses["offline"] == pytest.approx(300, abs=80)
    assert statuses["overdue"] == pytest.approx(450, abs=90)


def test_names() -> None:
    control = made(SPEC)[1]
    name = control.truth.clients()[0]["name"]
    assert {"&", "ö", "<", ">"} <= set(name)
    agents = control.truth.agents()
    assert {len(agent["agent_id"]) for agent in agents} == {40}
    assert all(agent["agent_id"].isalpha() for agent in agents)
    hosts = {(agent["hostname"], agent["client_pk"]) for agent in agents}
    assert len({host for host, _ in hosts}) < len(hosts)
    assert any(not agent["hostname"].isascii() for agent in agents)


def test_every_sentinel_is_somewhere() -> None:
    state, control = made(FleetSpec(agents=2500))
    agents = control.truth.agents()
    for fact in ("make_model", "local_ips", "serial_number", "graphics"):
        assert any(agent[fact] == "" for agent in agents), fact
    assert any(agent["cpu_model"] == [] for agent in agents)
    raw = [agent.logged_in_username for agent in state.agents.all()]
    assert raw.count("None") > 600
    assert None in raw


def test_rows_weigh_what_real_ones_do() -> None:
    spec = replace(SPEC, agents=100)
    with SimulatedTactical(spec) as tactical, Api(tactical.url, tactical.api_key) as api:
        rows = api.rows("/beta/v1/agent/?page_size=1000")["results"]
        software = api.rows("/software/")
        assert tactical.state.crashes == []
    sizes: dict[str, list[int]] = {"windows": [], "linux": [], "darwin": []}
    for row in rows:
        sizes[row["plat"]].append(len(msgspec.json.encode(row)))
    means = {plat: sum(found) / len(found) for plat, found in sizes.items()}
    assert means["windows"] == pytest.approx(138_435, rel=0.03)
    assert means["linux"] == pytest.approx(1_462, rel=0.15)
    assert means["darwin"] == pytest.approx(1_766, rel=0.3)
    weight = sum(len(msgspec.json.encode(row)) for row in software) / len(software)
    assert weight == pytest.approx(35_000, rel=0.15)
    assert b"9223372036854776000" in msgspec.json.encode(rows[0]["wmi_detail"])


def test_live_agents_check_in_and_frozen_ones_do_not() -> None:
    _, control = made(FleetSpec(agents=50))
    before = {agent["pk"]: agent for agent in control.truth.agents()}
    control.server.advance(3600)
    online = [
        agent for agent in control.truth.agents() if before[agent["pk"]]["status"] == "online"
    ]
    assert all(agent["status"] == "online" for agent in online)
    assert all(agent["last_seen"] > before[agent["pk"]]["last_seen"] for agent in online)
    frozen = made(SPEC)[1]
    seen = [agent["last_seen"] for agent in frozen.truth.agents()]
    frozen.server.advance(3600)
    assert [agent["last_seen"] for agent in frozen.truth.agents()] == seen


@pytest.mark.parametrize(
    "values", [{"clients": 9, "sites": 3}, {"agents": 50_001}, {"windows": 90, "linux": 20}]
)
def test_impossible_fleets_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        FleetSpec(**values)
