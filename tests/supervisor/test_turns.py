"""Fair shares: what one tenant has waiting keeps no other tenant waiting."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from portal import queue
from portal.config import Settings
from portal.jobs.context import use_app
from portal.scope import get_tenant_id
from portal.services.errands import execution
from portal.services.integrations import keep_alive, testing
from portal.supervisor.worker import run_worker
from tests.support.children import end_child

pytestmark = pytest.mark.one_database

BUSY, OTHER = 7, 8
"""Tenants."""


class World:
    """Two workers of a queue, and jobs that hang for as long as the file `hang` is there."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder = app, folder
        self.workers: list[int] = []
        (folder / "hang").touch()

    def work(self, number: int) -> None:
        """What a job does, in a worker's fork."""
        self._note(f"begins {get_tenant_id()} {number}")
        give_up = time.monotonic() + 60
        while get_tenant_id() == BUSY and self.is_hanging and time.monotonic() < give_up:
            time.sleep(0.02)
        self._note(f"ends {get_tenant_id()} {number}")

    def _note(self, line: str) -> None:
        with (self.folder / "log").open("a") as file:
            file.write(f"{line} {os.getppid()}\n")

    @property
    def is_hanging(self) -> bool:
        return (self.folder / "hang").exists()

    def let_go(self) -> None:
        (self.folder / "hang").unlink()

    def lines(self, word: str, tenant: int) -> list[str]:
        path = self.folder / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(f"{word} {tenant} ")]

    def ask(self, tenant: int, *numbers: int, name: str = "keep_alive") -> None:
        with self.app.app_context():
            for number in numbers:
                assert queue.enqueue(name, tenant, number)

    def start(self, name: str = queue.QUICK) -> None:
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                try:
                    run_worker(self.app, name)
                finally:
                    os._exit(0)
            self.workers.append(pid)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.workers.remove(pid)


@pytest.fixture
def world(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    world = World(app, tmp_path)
    monkeypatch.setattr(keep_alive, "keep_alive", world.work)
    monkeypatch.setattr(testing, "run_queued", world.work)
    monkeypatch.setattr(execution, "run_queued", world.work)
    use_app(app)
    yield world
    (tmp_path / "hang").unlink(missing_ok=True)
    for pid in world.workers:
        end_child(pid)


def test_a_flood_of_one_tenant_leaves_a_worker_to_the_others(world: World) -> None:
    world.ask(BUSY, *range(20))
    world.start()
    wait(lambda: world.lines("begins", BUSY) != [])
    world.ask(OTHER, 1, 2, 3)
    wait(lambda: len(world.lines("ends", OTHER)) == 3)
    assert len(world.lines("begins", BUSY)) == 1  # the other nineteen stand aside
    world.let_go()
    wait(lambda: len(world.lines("ends", BUSY)) == 20, seconds=40)
    log = (world.folder / "log").read_text().splitlines()
    of_busy = [line.split()[0] for line in log if line.split()[1] == str(BUSY)]
    assert of_busy == ["begins", "ends"] * 20  # one at a time
    assert aside(world) == []


@pytest.mark.parametrize("name", ["do_errand", "test_connection"])
def test_what_hangs_for_one_person_leaves_a_worker_to_the_others(world: World, name: str) -> None:
    """They did not stand aside, once, as somebody waits for each: two held both workers."""
    world.ask(BUSY, *range(5), name=name)
    world.start(queue.ASKED)
    wait(lambda: world.lines("begins", BUSY) != [])
    world.ask(OTHER, 1, 2, name=name)
    wait(lambda: len(world.lines("ends", OTHER)) == 2)
    assert len(world.lines("begins", BUSY)) == 1


def test_what_a_person_waits_for_is_not_behind_the_work_of_their_tenant(world: World) -> None:
    world.ask(BUSY, *range(5))
    world.start()
    world.start(queue.ASKED)
    wait(lambda: world.lines("begins", BUSY) != [])
    world.ask(BUSY, 99, name="test_connection")
    wait(lambda: any(" 99 " in line for line in world.lines("begins", BUSY)))


def test_the_turn_of_a_killed_worker_ends(world: World) -> None:
    world.ask(BUSY, *range(3))
    world.start()
    wait(lambda: world.lines("begins", BUSY) != [])
    [line] = world.lines("begins", BUSY)
    world.kill(int(line.split()[-1]))
    world.let_go()
    wait(lambda: len(world.lines("ends", BUSY)) == 2, seconds=40)


def test_a_redis_that_forgot_everything_stops_nobody(world: World, settings: Settings) -> None:
    world.ask(BUSY, *range(3))
    world.start()
    wait(lambda: world.lines("begins", BUSY) != [])
    with queue.connect(settings) as redis:
        redis.flushdb()
    world.let_go()
    world.ask(BUSY, 10, 11)  # as the scheduler does with what is still due
    wait(lambda: {line.split()[2] for line in world.lines("ends", BUSY)} >= {"10", "11"}, 40)


def test_an_id_that_is_left_over_holds_nobody_up(world: World, settings: Settings) -> None:
    world.ask(BUSY, *range(4))
    world.start()
    wait(lambda: world.lines("begins", BUSY) != [])
    wait(lambda: len(aside(world)) == 3)
    with queue.connect(settings) as redis:
        quick = Queue(queue.QUICK, connection=redis, serializer=JSONSerializer)
        for job_id in aside(world)[:2]:
            job = quick.fetch_job(job_id)
            assert job is not None
            job.delete(remove_from_queue=False)
    world.let_go()
    wait(lambda: len(world.lines("ends", BUSY)) == 2)
    assert aside(world) == []


def aside(world: World) -> list[str]:
    with queue.connect(world.app.extensions["settings"]) as redis:
        found = redis.lrange(queue.aside_key(queue.QUICK, BUSY), 0, -1)
        return [job_id.decode() for job_id in found]


def wait(condition: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)
