from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.egress import Gateway
from tests.channels.far_side import FarSide, answering
from tests.egress.servers import open_gateway
from tests.web.conftest import acme, admin

__all__ = ["acme", "admin"]


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    with answering() as one:
        yield one


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with open_gateway() as one:
        yield one
