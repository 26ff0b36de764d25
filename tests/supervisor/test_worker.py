"""Workers that lose Redis, and workers that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from portal import create_app, queue
from portal.config import Settings, read_settings
from portal.jobs.context import use_app
from portal.services.integrations import keep_alive
from portal.supervisor.worker import run_worker
from tests.support.apps import wait_for_redis
from tests.support.children import end_child
from tests.support.keys import KEYS
from tests.support.processes import redis_command

pytestmark = [pytest.mark.one_database, pytest.mark.servers]


class OwnRedis:
    """A server that a test may kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(redis_command(self.folder), stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    redis = OwnRedis(tmp_path)
    yield redis
    redis.kill()


def worker_environ(own_redis: OwnRedis, sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **KEYS,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": sqlite_url,
        "REDIS_URL": own_redis.url,
        "PORTAL_DATA_DIR": str(tmp_path),
    }


class Worker:
    """Of the queue `asked`, in a process of its own; asked to stop at the end of the block."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal.supervisor", "worker", "asked"],
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        code = self._process.wait(timeout=20)
        self._reader.join()
        assert code == 0, self.lines

    def wait_for(self, words: str) -> None:
        _wait(lambda: any(words in line for line in self.lines), seconds=20)

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.lines.append(line.rstrip())


def test_a_worker_waits_for_redis_and_says_so_in_one_line(
    own_redis: OwnRedis, sqlite_url: str, tmp_path: Path
) -> None:
    environ = worker_environ(own_redis, sqlite_url, tmp_path)
    settings = read_settings(environ)
    asked = Queue(queue.ASKED, connection=queue.connect(settings), serializer=JSONSerializer)
    wait_for_redis(asked.connection)
    with Worker(environ) as worker:
        wait_until_done(asked)
        own_redis.kill()
        worker.wait_for("Redis")  # RQ's words or ours
        own_redis.start()
        wait_for_redis(asked.connection)
        wait_until_done(asked)
    assert not any("Traceback" in line for line in worker.lines)
    assert len(worker.lines) < 8


def test_when_redis_is_full_work_waits_in_the_database_and_workers_wait(
    own_redis: OwnRedis, sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environ = worker_environ(own_redis, sqlite_url, tmp_path)
    app = create_app(read_settings(environ))
    redis = queue.connect(app.extensions["settings"])
    wait_for_redis(redis)
    with app.app_context():
        assert queue.enqueue("test_connection", 1, 1)
        redis.config_set("maxmemory", 1)
        assert not queue.enqueue("test_connection", 1, 2)
    assert "Redis is full; job test_connection(1, 2) waits in the database" in caplog.text
    with Worker(environ) as worker:
        worker.wait_for("Redis is full, waiting for it")
        redis.config_set("maxmemory", 0)
        wait_until_done(Queue(queue.ASKED, connection=redis, serializer=JSONSerializer))
    assert Queue(queue.ASKED, connection=redis).get_job_ids() == []  # the one from before, too
    assert len(worker.lines) < 8


def wait_until_done(asked: Queue) -> None:
    """A job about a test that does not exist: the service looks, and does nothing."""
    asked.enqueue_call(
        queue.JOBS["test_connection"].function, args=[1, 1], result_ttl=0, job_id="wanted"
    )
    give_up = time.monotonic() + 20
    while asked.fetch_job("wanted") is not None:
        assert time.monotonic() < give_up, "The worker did not take the job."
        time.sleep(0.05)


def test_the_job_of_a_killed_worker_dies_with_it_and_is_noticed_by_a_neighbour(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(_integration_id: int) -> None:
        (tmp_path / "job").write_text(str(os.getpid()))
        time.sleep(60)

    monkeypatch.setattr(keep_alive, "keep_alive", hang)
    use_app(app)
    with app.app_context():
        queue.enqueue("keep_alive", 7, 23)
    workers = [_fork_worker(app)]
    quick = Queue(queue.QUICK, connection=queue.connect(settings), serializer=JSONSerializer)
    _wait(lambda: (tmp_path / "job").exists() and (tmp_path / "job").read_text() != "")
    job_pid = int((tmp_path / "job").read_text())
    os.kill(workers[0], signal.SIGKILL)
    os.waitpid(workers[0], 0)
    neighbour = _fork_worker(app)
    try:
        _wait(lambda: not Path(f"/proc/{job_pid}").exists() or _is_zombie(job_pid), seconds=2)
        _wait(lambda: quick.failed_job_registry.get_job_ids() != [], seconds=20)
    finally:
        end_child(neighbour)


def _fork_worker(app: Flask) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            run_worker(app, queue.QUICK)
        finally:
            os._exit(0)
    return pid


def _wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def _is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()
