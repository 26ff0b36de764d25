from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.supervisor.served import Served


@pytest.fixture(scope="module")
def patient() -> Iterator[Served]:
    """It waits longer than any test."""
    server = Served()
    yield server
    server.stop()
