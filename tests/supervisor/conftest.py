from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.supervisor.web_server import Served
from tests.support.running_msp import msp, portal

__all__ = ["msp", "patient_server", "portal"]


@pytest.fixture(scope="module")
def patient_server() -> Iterator[Served]:
    """It waits longer than any test."""
    server = Served()
    yield server
    server.stop()
