"""Workers that are killed with a job in their hands, at every moment in which they may have one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from portal import queue
from portal.config import Settings
from portal.jobs.context import use_app
from portal.services.integrations import keep_alive
from portal.supervisor.turns import Turns
from portal.supervisor.worker import PortalWorker, run_worker
from tests.support.children import end_child

pytestmark = pytest.mark.one_database

GOES_ON_WITHIN = 20
"""Seconds; what docs/install.md promises."""


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_parent(*_: Any, **__: Any) -> None:
    """The whole worker: the process that looks after the job, and with it the job."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


MOMENTS: dict[str, tuple[type, str, Callable[..., None]]] = {
    "taken from the queue": (PortalWorker, "execute_job", die),
    "with its tenant's turn": (PortalWorker, "prepare_execution", die),
    "noted as at work": (PortalWorker, "fork_work_horse", die),
    "forked, not yet marked as started": (PortalWorker, "prepare_job_execution", die_with_parent),
    "at work": (PortalWorker, "_finalize_success", die_with_parent),
    "when its turn was to end": (Turns, "hand_over", die),
}
"""Where the worker dies: instead of doing this."""


class World:
    """A worker of the queue `quick`, and jobs that note that they are done."""

    def __init__(self, app: Flask, folder: Path, jobs: Queue) -> None:
        self.app, self.jobs, self._done = app, jobs, folder / "done"
        self._workers: list[int] = []

    def work(self, number: int) -> None:
        with self._done.open("a") as file:
            file.write(f"{number}\n")

    def done(self) -> list[str]:
        return self._done.read_text().split() if self._done.exists() else []

    def ask(self, number: int = 23) -> None:
        """As the scheduler does with each tick for what is still due."""
        with self.app.app_context():
            assert queue.enqueue("keep_alive", 7, number)

    def start(self) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                run_worker(self.app, queue.QUICK)
            finally:
                os._exit(0)
        self._workers.append(pid)
        return pid

    def start_and_die(self, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
        owner, name, how = MOMENTS[moment]
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, how)
            pid = self.start()
        self._workers.remove(pid)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL

    def stop(self) -> None:
        for pid in self._workers:
            end_child(pid)


@pytest.fixture
def world(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    jobs = Queue(queue.QUICK, connection=queue.connect(settings), serializer=JSONSerializer)
    world = World(app, tmp_path, jobs)
    monkeypatch.setattr(keep_alive, "keep_alive", world.work)
    use_app(app)
    yield world
    world.stop()


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_killed_worker_had_is_done_when_it_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    world.ask()
    world.start_and_die(monkeypatch, moment)
    before = world.done()
    assert world.jobs.get_job_ids() == []  # in nobody's hands
    assert world.jobs.acquire_maintenance_lock()  # as one that is killed while it cleans up
    world.start()
    begun = time.monotonic()
    while world.done() == before:
        assert time.monotonic() - begun < GOES_ON_WITHIN
        world.ask()
        time.sleep(0.1)
