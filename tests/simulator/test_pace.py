"""At live pace a list takes at least what its rows cost a live server."""

from __future__ import annotations

import time

import pytest

from tactical_simulator import FleetSpec, SimulatedTactical
from tactical_simulator.api.pace import AGENT, ALERT, BETA_AGENT, SOFTWARE
from tests.simulator.api import Api

AGENTS = 12


@pytest.mark.parametrize(
    ("method", "path", "row_seconds"),
    [
        ("GET", "/beta/v1/agent/?page_size=1000", BETA_AGENT),
        ("GET", "/agents/", AGENT),
        ("GET", "/software/", SOFTWARE),
        ("PATCH", "/alerts/", ALERT),
    ],
)
def test_lists_take_their_time(method: str, path: str, row_seconds: float) -> None:
    spec = FleetSpec(agents=AGENTS, windows=100, linux=0, titles=3, alerts=AGENTS)
    with SimulatedTactical(spec) as tactical, Api(tactical.url, tactical.api_key) as api:
        tactical.control.server.set(live_pace=True)
        begun = time.monotonic()
        answer = api.request(method, path, json={} if method == "PATCH" else None)
        assert time.monotonic() - begun >= row_seconds * AGENTS
    assert answer.status_code == 200
