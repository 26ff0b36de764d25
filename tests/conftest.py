"""What a run of tests begins with. The fixtures of every test are in `tests/fixtures.py`."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.fast import may_be_fast
from tests.support import properties
from tests.support.processes import ServersOfRun

__all__ = ["properties"]

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
    config.addinivalue_line(
        "markers", "mainly: on the databases that it names; on both in `make test-deep`"
    )
    config.addinivalue_line("markers", "soak: a long one; `make soak` runs it")
    config.addinivalue_line("markers", "fleet: another fleet than the small one of `tactical`")
    config.addinivalue_line("markers", "servers: takes a server, a browser or processes of its own")
    is_worker = hasattr(config, "workerinput")
    if not is_worker:  # a worker of xdist uses what its parent holds
        config.stash[_servers] = ServersOfRun()
    if is_worker or config.getoption("dist", "no") == "no":
        # Not by the parent, which runs no test, and for whose imports its workers would wait.
        config.pluginmanager.import_plugin("tests.fixtures")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of files without a fast test, `make test-fast` does not need to know that they have none."""
    is_left_out = "not servers" in config.option.markexpr and not may_be_fast(collection_path)
    return is_left_out or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("servers")


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: the collector need not look at it again and again.
    While it was imported, it looked at none of it; see `tests/__init__.py`."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if _servers in config.stash:
        config.stash[_servers].stop()
