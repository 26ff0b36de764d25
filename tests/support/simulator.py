"""A simulated Tactical server on loopback, with a small fleet that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tactical_simulator import FleetSpec, SimulatedTactical

SMALL: dict[str, Any] = {"clients": 3, "sites": 6, "agents": 24, "titles": 5, "frozen": True}


@pytest.fixture
def tactical(request: pytest.FixtureRequest) -> Iterator[SimulatedTactical]:
    """`@pytest.mark.fleet(agents=500)` asks for another one; see FleetSpec."""
    marker = request.node.get_closest_marker("fleet")
    with SimulatedTactical(FleetSpec(**SMALL | (marker.kwargs if marker else {}))) as server:
        yield server
