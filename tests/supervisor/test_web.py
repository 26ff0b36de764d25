"""The web server's settings."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from portal.supervisor import gunicorn_config


@pytest.fixture(autouse=True)
def thaw() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_application_is_no_garbage_to_be_looked_through() -> None:
    gunicorn_config.when_ready(None)
    assert gc.get_freeze_count() > 10_000
