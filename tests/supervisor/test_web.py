"""The web server's settings."""

from __future__ import annotations

import gc

import pytest

from portal.supervisor import gunicorn_config


@pytest.fixture(autouse=True)
def thaw() -> None:
    """What the run of tests itself has frozen (`tests/conftest.py`) is not to count."""
    gc.unfreeze()


def test_the_application_is_no_garbage_to_be_looked_through() -> None:
    assert gc.get_freeze_count() == 0
    gunicorn_config.when_ready(None)
    assert gc.get_freeze_count() > 10_000
