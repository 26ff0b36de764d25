"""`make test-fast` leaves nothing out that needs no server."""

from __future__ import annotations

import pytest

from tests.fast import FAST, TESTS, may_be_fast


def test_every_fast_test_is_where_they_are_looked_for(request: pytest.FixtureRequest) -> None:
    """Of the tests of this run: of all, in `make test`. Name its file in `tests/fast.py`."""
    assert [
        item.nodeid
        for item in request.session.items
        if not may_be_fast(item.path) and item.get_closest_marker("servers") is None
    ] == []


def test_whatever_is_named_is_there() -> None:
    assert [each for each in FAST if not any(TESTS.glob(f"{each}*"))] == []
