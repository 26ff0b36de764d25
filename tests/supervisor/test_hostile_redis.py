"""Whoever writes to Redis makes a worker call nothing but our own functions, with ids."""

from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import zlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from rq import Queue, Worker
from rq.command import send_shutdown_command
from rq.serializers import JSONSerializer
from rq.suspension import suspend

from portal import queue
from portal.config import Settings
from portal.jobs.context import use_app
from portal.scope import get_tenant_id
from portal.services.integrations import keep_alive
from portal.supervisor.queued_job import LARGEST_DATA, find_problem
from portal.supervisor.worker import PortalWorker, run_worker
from tests.supervisor.test_worker import _wait

pytestmark = pytest.mark.one_database

OURS = "portal.jobs.connection.keep_alive"
BOMB = zlib.compress(b" " * 50_000_000)


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def packed(*call: Any) -> bytes:
    return zlib.compress(json.dumps(call).encode())


def stored(*call: Any, **more: Any) -> dict[str, Any]:
    """The fields of a job, as RQ keeps them."""
    fields = {"data": packed(*call), "origin": "quick", "status": "queued", "timeout": 60}
    return fields | {"created_at": "2026-01-01T00:00:00.000000Z"} | more


def call(*ids: Any, **more: Any) -> dict[str, Any]:
    return stored(OURS, None, list(ids), {}, **more)


def hostile_jobs(folder: Path) -> dict[str, dict[str, Any]]:
    """Each would make a folder, or call somebody, or take all memory."""
    mkdir = str(folder / "made")
    hook = json.dumps([{"url": "http://127.0.0.1:1/", "on": ["success"]}])
    return {
        "foreign": stored("os.mkdir", None, [mkdir], {}),
        "builtin": stored("builtins.eval", None, [f"__import__('os').mkdir({mkdir!r})"], {}),
        "beside": stored("portal.jobs.context.use_app", None, [1, 2], {}),
        "importing": stored("antigravity.fly", None, [1, 2], {}),
        "pickled": call(1, 2) | {"data": zlib.compress(pickle.dumps(Evil(folder / "made")))},
        "pickled-plain": call(1, 2) | {"data": pickle.dumps(Evil(folder / "made"))},
        "unpacked": call(1, 2) | {"data": json.dumps([OURS, None, [1, 2], {}])},
        "method": stored("mkdir", mkdir, [], {}),
        "named": stored(OURS, None, [1], {"integration_id": 2}),
        "text": call(1, mkdir),
        "number-as-text": call("1", 2),
        "truth": call(1, True),
        "fraction": call(1, 2.0),
        "nothing": call(1, None),
        "list": call(1, [2]),
        "negative": call(1, -2),
        "huge": call(1, 2**63),
        "few": call(1),
        "many": call(1, 2, 3),
        "other-queue": stored("portal.jobs.sync.prune_runs", None, [1, 2], {}),
        "bomb": call(1, 2) | {"data": BOMB},
        "deep": call(1, 2) | {"data": zlib.compress(b"[" * (LARGEST_DATA - 1))},
        "empty": call(1, 2) | {"data": b""},
        "success": call(1, 2, success_callback_name="os.mkdir"),
        "failure": call(1, 2, failure_callback_name="os.mkdir"),
        "stopped": call(1, 2, stopped_callback_name="os.mkdir"),
        "hook": call(1, 2, webhooks=hook),
        "again": call(1, 2, repeats_left=1000, repeat_intervals="[0]"),
        "retried": call(1, 2, retries_left=1000),
        "dependent": call(1, 2, dependency_ids='["other"]'),
        "failed": call(1, 2, exc_info=BOMB),
        "result": call(1, 2, result=pickle.dumps(Evil(folder / "made"))),
        "long": call(1, 2, description="x" * 100_000),
        "date": call(1, 2, created_at="never"),
        "state": call(1, 2, status="hacked"),
        "limit": call(1, 2, timeout="forever"),
    }


@pytest.fixture
def quick(settings: Settings) -> Queue:
    return Queue(queue.QUICK, connection=queue.connect(settings), serializer=JSONSerializer)


@pytest.fixture
def called(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in which our own function notes what it was called with."""
    file = tmp_path / "called"

    def note(integration_id: int) -> None:
        with file.open("a") as lines:
            lines.write(f"{get_tenant_id()} {integration_id}\n")

    monkeypatch.setattr(keep_alive, "keep_alive", note)
    use_app(app)
    return file


def put(quick: Queue, job_id: str, fields: dict[Any, Any]) -> None:
    quick.connection.hset(f"rq:job:{job_id}", mapping=fields)
    quick.connection.rpush(quick.key, job_id)


def test_a_worker_drops_whatever_is_no_job_of_ours(
    app: Flask, quick: Queue, called: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = hostile_jobs(tmp_path)
    for job_id, fields in jobs.items():
        put(quick, job_id, fields)
    put(quick, "no:thing", call(1, 2))  # an id that RQ cannot be
    with app.app_context():
        queue.enqueue("keep_alive", 7, 23)
    PortalWorker([quick], connection=quick.connection, serializer=JSONSerializer).work(burst=True)
    assert called.read_text() == "7 23\n"
    assert not (tmp_path / "made").exists()
    assert [key for key in quick.connection.scan_iter("rq:job:*") if b"no:thing" not in key] == []
    dropped = [record for record in caplog.records if "dropped" in record.getMessage()]
    assert len(dropped) >= len(jobs)
    assert {record.levelno for record in dropped} == {logging.WARNING}


def test_whoever_looks_after_registries_drops_them_too(
    quick: Queue, called: Path, tmp_path: Path
) -> None:
    """A job whose worker seems to have died: RQ would call its failure callback."""
    put(quick, "lost", call(1, 2, failure_callback_name="os.mkdir", failure_callback_timeout=5))
    quick.connection.delete(quick.key)
    quick.connection.zadd(quick.started_job_registry.key, {"lost:once": 1})
    quick.connection.rpush(quick.intermediate_queue_key, "lost")
    names = [quick.name]
    PortalWorker(
        names, connection=quick.connection, serializer=JSONSerializer
    ).run_maintenance_tasks()
    assert not quick.connection.exists("rq:job:lost")
    assert not called.exists()


def test_what_we_enqueue_ourselves_is_taken(app: Flask, settings: Settings) -> None:
    with app.app_context():
        for number, (name, job) in enumerate(queue.JOBS.items(), start=1):
            assert queue.enqueue(name, *range(number, number + job.ids))
    redis: Any = queue.connect(settings)
    found = list(redis.scan_iter("rq:job:*"))
    assert len(found) == len(queue.JOBS)
    assert [find_problem(redis.hgetall(key)) for key in found] == [None] * len(found)


def test_nobody_stops_or_suspends_a_worker_from_redis(
    app: Flask, quick: Queue, called: Path
) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            run_worker(app, queue.QUICK)
        finally:
            os._exit(0)
    try:
        _wait(lambda: quick.connection.scard("rq:workers") == 1)
        [worker] = Worker.all(connection=quick.connection)
        suspend(quick.connection)
        send_shutdown_command(quick.connection, worker.name)
        assert quick.connection.pubsub_channels() == []
        with app.app_context():
            queue.enqueue("keep_alive", 7, 23)
        _wait(called.exists)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
