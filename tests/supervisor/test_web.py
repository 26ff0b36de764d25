"""The web server's settings."""

from __future__ import annotations

import gc

from portal.supervisor import gunicorn_config


def test_the_application_is_no_garbage_to_be_looked_through() -> None:
    frozen = gc.get_freeze_count()  # by the run of tests itself: see `tests/conftest.py`
    application = [[number] for number in range(1000)]
    gunicorn_config.when_ready(None)
    assert gc.get_freeze_count() >= frozen + len(application)
