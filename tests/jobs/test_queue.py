from __future__ import annotations

import json
import logging
import zlib
from dataclasses import replace

import pytest
from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from portal import create_app, queue
from portal.config import Settings
from portal.jobs.context import use_app
from portal.scope import get_tenant_id
from portal.services.integrations import keep_alive
from portal.supervisor.worker import PortalWorker

pytestmark = pytest.mark.one_database


@pytest.fixture
def quick(settings: Settings) -> Queue:
    return Queue(queue.QUICK, connection=queue.connect(settings), serializer=JSONSerializer)


@pytest.mark.parametrize("name", queue.JOBS)
def test_every_job_is_a_function_and_its_queue_has_workers(name: str) -> None:
    job = queue.JOBS[name]
    assert callable(import_attribute(job.function))
    assert job.function.startswith("portal.jobs.")
    assert queue.QUEUES[job.queue] >= 1


def test_a_job_carries_ids_as_json_and_nothing_else(app: Flask, quick: Queue) -> None:
    with app.app_context():
        assert queue.enqueue("keep_alive", 1, 23)
    (job_id,) = quick.get_job_ids()
    data = quick.connection.hget(f"rq:job:{job_id}", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == [
        "portal.jobs.connection.keep_alive",
        None,
        [1, 23],
        {},
    ]


def test_a_waiting_job_is_not_enqueued_twice(app: Flask, quick: Queue) -> None:
    with app.app_context():
        assert queue.enqueue("keep_alive", 1, 23)
        assert queue.enqueue("keep_alive", 1, 23)
        assert queue.enqueue("keep_alive", 1, 24)
    assert len(quick.get_job_ids()) == 2


@pytest.mark.parametrize("status", ["queued", "started", "failed"])
def test_behind_a_job_that_does_not_wait_another_one_is_enqueued(
    app: Flask, quick: Queue, status: str
) -> None:
    with app.app_context():
        assert queue.enqueue("keep_alive", 1, 23)
        (job_id,) = quick.get_job_ids()
        quick.connection.delete(quick.key)  # taken by a worker
        quick.connection.hset(f"rq:job:{job_id}", "status", status)
        assert queue.enqueue("keep_alive", 1, 23)
        assert queue.enqueue("keep_alive", 1, 23)
    assert len(quick.get_job_ids()) == 1


def test_without_redis_enqueue_says_so_and_does_not_raise(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(replace(settings, redis_url="unix:///nowhere/redis.sock"))
    with app.app_context(), caplog.at_level(logging.WARNING):
        assert not queue.enqueue("keep_alive", 1, 23)
    assert "Redis is away; job keep_alive(1, 23) waits in the database" in caplog.text


def test_a_worker_calls_the_service_in_the_scope_of_the_tenant(
    app: Flask, quick: Queue, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    def note(integration_id: int) -> None:
        with Redis.from_url(redis_url) as redis:
            redis.set("called", f"{get_tenant_id()} {integration_id}")

    monkeypatch.setattr(keep_alive, "keep_alive", note)
    use_app(app)
    with app.app_context():
        queue.enqueue("keep_alive", 7, 23)
    PortalWorker([quick], connection=quick.connection, serializer=JSONSerializer).work(burst=True)
    assert quick.connection.get("called") == b"7 23"
    assert quick.connection.keys("rq:job:*") == []  # so that the same job can be asked for again


def test_a_job_that_failed_is_soon_forgotten(
    app: Flask, quick: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_integration_id: int) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(keep_alive, "keep_alive", fail)
    use_app(app)
    with app.app_context():
        queue.enqueue("keep_alive", 7, 23)
    PortalWorker([quick], connection=quick.connection, serializer=JSONSerializer).work(burst=True)
    (job_id,) = quick.failed_job_registry.get_job_ids()
    assert 0 < quick.connection.ttl(f"rq:job:{job_id}") <= queue.KEEP_FAILED_SECONDS
