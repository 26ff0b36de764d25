"""The application under test, its settings, its Redis, and it as a server on loopback."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.ctx import AppContext
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from portal.app import create_app, use_settings
from portal.config import Settings, read_settings
from portal.db import db
from tests.support.keys import KEYS
from tests.support.processes import server_folder, start_redis


@pytest.fixture
def redis_url() -> str:
    """An emptied database of the real Redis server of this run, one for each worker."""
    start_redis()
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"unix://{server_folder() / 'redis.sock'}?db={number}"
    with redis.Redis.from_url(url) as connection:
        wait_for_redis(connection)
        connection.flushdb()
    return url


def wait_for_redis(connection: redis.Redis) -> None:
    for _ in range(200):
        try:
            connection.ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("The Redis server of this run does not start.")


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return read_settings(
        {
            **KEYS,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORTAL_DATA_DIR": str(tmp_path),
            "PORTAL_EGRESS_ALLOW": "127.0.0.0/8",
        }
    )


class KeptApp:
    """An application that tests use one after the other. Its routes, templates and statements are
    compiled once: that would take most of the time of a test. What it remembers goes each time."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self.app.config["TESTING"] = True
        self._config, self._extensions = dict(self.app.config), dict(self.app.extensions)

    def renew(self, settings: Settings) -> Flask:
        for kept, at_first in (
            (self.app.config, self._config),
            (self.app.extensions, self._extensions),
        ):
            kept.clear()
            kept.update(at_first)
        use_settings(self.app, settings)
        return self.app


@pytest.fixture(scope="session")
def kept_apps() -> dict[str, KeptApp]:
    """By the address of their database."""
    return {}


@pytest.fixture
def app(settings: Settings, kept_apps: dict[str, KeptApp]) -> Iterator[Flask]:
    """The whole application on an empty database; the test runs on SQLite and PostgreSQL.

    No context is pushed: requests make their own. For services take `app_context` too.
    """
    if settings.database_url not in kept_apps:
        kept_apps[settings.database_url] = KeptApp(settings)
    app = kept_apps[settings.database_url].renew(settings)
    yield app
    leave(app)


def leave(app: Flask) -> None:
    """Close its connections. Those that are left open are a warning in whichever test the garbage
    collector comes upon the application in."""
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
    for kept in app.extensions.values():
        if isinstance(kept, redis.Redis):
            kept.close()


@pytest.fixture
def app_context(app: Flask) -> Iterator[AppContext]:
    """For tests that call services, which need `current_app`."""
    with app.app_context() as context:
        yield context
        db.session.remove()


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """Calls the application without a network. (Never `client`: that is a company.)"""
    return app.test_client()


@pytest.fixture
def live_portal(app: Flask) -> Iterator[str]:
    """The address of the application."""
    with served(app) as address:
        yield address


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """From threads of this process, at this address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
