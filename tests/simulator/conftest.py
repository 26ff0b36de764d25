"""A simulated server and a session that speaks to it over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tactical_simulator import FleetSpec, SimulatedTactical
from tests.simulator.api import Api
from tests.simulator.receiver import Receiver

FLEET = FleetSpec(agents=60, clients=4, sites=9, titles=20)


@pytest.fixture
def tactical() -> Iterator[SimulatedTactical]:
    with SimulatedTactical(FLEET) as server:
        yield server
        assert server.state.crashes == []


@pytest.fixture
def api(tactical: SimulatedTactical) -> Iterator[Api]:
    """Signed in by an API key that may do everything."""
    with Api(tactical.url, tactical.api_key) as api:
        yield api


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
