"""The Redis user of the documentation: it can do what the portal does, and not much more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import NoPermissionError
from rq.serializers import JSONSerializer

from portal import create_app, queue
from portal.config import Settings
from portal.jobs.context import use_app
from portal.services.accounts.throttle import Caller, attempt
from portal.supervisor.redis_server import end_turns
from portal.supervisor.worker import PortalWorker
from tactical_simulator.transport.tls import make_certificate
from tests.supervisor.test_worker import OwnRedis
from tests.support.apps import leave, wait_for_redis
from tests.support.tls_relay import tls_relay

pytestmark = pytest.mark.one_database

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "install.md"


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Redis]:
    """A server with the documented user; its socket asks everybody else for nothing."""
    own = OwnRedis(tmp_path)
    line = re.search(r"^    user (portal on .*)$", DOCUMENTATION.read_text(), re.MULTILINE)
    assert line
    with Redis.from_url(own.url) as redis:
        wait_for_redis(redis)
        redis.execute_command("ACL", "SETUSER", *line[1].split())
        yield redis
    own.kill()


@pytest.fixture(params=["redis", "rediss"])
def portal(
    request: pytest.FixtureRequest, settings: Settings, admin: Redis, tmp_path: Path
) -> Iterator[Flask]:
    """As the user, without TLS and with it."""
    certificate, key = make_certificate()
    (tmp_path / "ca.pem").write_bytes(certificate)
    with tls_relay(tmp_path / "redis.sock", certificate, key) as port:
        urls = {
            "redis": f"unix://portal:a-long-password@{tmp_path}/redis.sock",
            "rediss": f"rediss://portal:a-long-password@127.0.0.1:{port}/0"
            f"?ssl_ca_certs={tmp_path}/ca.pem",
        }
        app = create_app(replace(settings, redis_url=urls[request.param]))
        use_app(app)
        with app.app_context():
            yield app
        leave(app)


def test_its_user_may_do_all_that_the_portal_does(portal: Flask, admin: Any) -> None:
    connection = queue.connect(portal.extensions["settings"])
    for _ in range(2):  # what waits already, too
        assert all(queue.enqueue(name, *range(1, 1 + job.ids)) for name, job in queue.JOBS.items())
    for name in queue.QUEUES:
        worker = PortalWorker([name], connection=connection, serializer=JSONSerializer)
        worker.work(burst=True)
        worker.run_maintenance_tasks()
    end_turns(connection)
    assert queue.count_workers(queue.QUICK)
    for _ in range(2):
        with attempt(Caller("203.0.113.7"), "anna@acme.example"):
            pass
    refused = [entry["object"] for entry in admin.acl_log()]
    assert refused == []
    assert admin.keys("rq:queue:*") == []
    assert admin.keys("LIMITS:*")


@pytest.mark.parametrize("portal", ["redis"], indirect=True)
@pytest.mark.parametrize(
    "words",
    [
        ("FLUSHALL",),
        ("CONFIG", "SET", "dir", "/etc"),
        ("KEYS", "*"),
        ("SET", "other:key", "1"),
        ("GET", "other:key"),
        ("SUBSCRIBE", "other"),
        ("SHUTDOWN",),
        ("ACL", "SETUSER", "portal", "+@all"),
        ("FUNCTION", "LIST"),
        ("REPLICAOF", "127.0.0.1", "1"),
    ],
)
def test_it_may_not_do_more(portal: Flask, words: tuple[str, ...]) -> None:
    connection: Any = queue.connect(portal.extensions["settings"])
    assert connection.ping()
    with pytest.raises(NoPermissionError):
        connection.execute_command(*words)


@pytest.mark.parametrize("portal", ["rediss"], indirect=True)
def test_a_server_with_another_certificate_is_not_spoken_to(
    portal: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ca.pem").write_bytes(make_certificate()[0])
    assert not queue.enqueue("keep_alive", 1, 2)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text.replace(" ", "_").upper()
