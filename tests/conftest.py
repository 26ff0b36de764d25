"""Fixtures for every test. Each is defined, with its reason, in `tests/support/`."""

from __future__ import annotations

import gc

import pytest

from tests.support import properties
from tests.support.apps import app, app_context, http, kept_apps, live_portal, redis_url, settings
from tests.support.browser import browser, page
from tests.support.databases import (
    database_url,
    empty_database_url,
    postgres_database,
    postgres_server,
    postgresql_url,
    pytest_generate_tests,
    sqlite_template,
    sqlite_url,
    wiper,
)
from tests.support.network import only_loopback
from tests.support.passwords import quick_passwords
from tests.support.processes import ServersOfRun
from tests.support.simulator import tactical

__all__ = [
    "app",
    "app_context",
    "browser",
    "database_url",
    "empty_database_url",
    "http",
    "kept_apps",
    "live_portal",
    "only_loopback",
    "page",
    "postgres_database",
    "postgres_server",
    "postgresql_url",
    "properties",
    "pytest_generate_tests",
    "quick_passwords",
    "redis_url",
    "settings",
    "sqlite_template",
    "sqlite_url",
    "tactical",
    "wiper",
]


SERVERS = {
    *("empty_database_url", "redis_url", "postgres_server", "sqlite_template"),
    *("tactical", "browser", "portal", "patient_server", "hurried_server", "small_server"),
}
"""Each is a server, a browser or a process: `make test-fast` leaves out what takes one."""

_servers = pytest.StashKey[ServersOfRun]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "one_database: what it shows does not depend on the database; SQLite only"
    )
    config.addinivalue_line("markers", "soak: a long one; `make soak` runs it")
    config.addinivalue_line("markers", "fleet: another fleet than the small one of `tactical`")
    config.addinivalue_line("markers", "servers: takes a server, a browser or processes of its own")
    if not hasattr(config, "workerinput"):  # a worker of xdist uses what its parent holds
        config.stash[_servers] = ServersOfRun()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("servers")


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: the collector need not look at it again and again.
    While it was imported, it looked at none of it; see `tests/__init__.py`."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if _servers in config.stash:
        config.stash[_servers].stop()
