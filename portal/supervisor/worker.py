"""A worker process: takes the jobs of one queue, each in a fork of its own."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress
from typing import Any

from flask import Flask
from redis import Redis, RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from portal import queue
from portal.config import Settings
from portal.errors import ConfigError
from portal.jobs.context import use_app
from portal.queue import WORK_ID
from portal.supervisor.memory import settle
from portal.supervisor.parent import die_with_parent
from portal.supervisor.queued_job import QueuedJob
from portal.supervisor.turns import Turns
from portal.work_id import work

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2
DEAD_AFTER_SECONDS = 10
"""A worker that was killed is noticed by its neighbours after that; RQ's own value is 90."""
PROBE = "portal:probe"
IDLE_SECONDS = 2
"""How long an idle worker waits for a job before it looks after its neighbours."""


class PortalWorker(Worker):
    job_class = QueuedJob
    log_job_description = False
    max_connection_wait_time = 5.0
    must_stop = False

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        return DEAD_AFTER_SECONDS

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Without Redis the job goes on: the database knows of it."""
        try:
            super().maintain_heartbeats(job, execution)
            self._turns.keep(job)
        except RedisError as error:
            log.warning("%s while job %s runs: %s", queue.state_of(error), job.id, error)

    @property
    def _turns(self) -> Turns:
        return Turns(self.queues[0])

    def execute_job(self, job: Job, queue: Queue) -> None:
        """In its tenant's turn; else it waits aside, and we take the next."""
        if not self._turns.take(job):
            return
        try:
            super().execute_job(job, queue)
        finally:
            with suppress(RedisError):  # the turn ends by itself
                self._turns.hand_over(job)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """In the fork. Its lines carry the id of what asked for it."""
        with work(job.meta.get(WORK_ID)):
            return super().perform_job(job, queue, execution)

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        self._turns.hand_over_lost()

    def setup_work_horse_signals(self) -> None:
        """Called first thing in the fork, which leaves our process group."""
        die_with_parent(os.getppid())
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]

    def handle_warm_shutdown_request(self) -> None:
        self.must_stop = True

    def _shutdown(self) -> None:
        try:
            super()._shutdown()  # type: ignore[no-untyped-call]
        except RedisError as error:
            raise StopRequested from error

    def subscribe(self) -> None:
        """No thread that listens for RQ's remote commands: we send none, and a process that
        forks is better without threads."""

    def unsubscribe(self) -> None:
        pass

    def check_for_suspension(self, burst: bool) -> None:
        """Nobody here suspends workers; whoever can write to Redis shall not either."""


def run_worker(app: Flask, queue_name: str) -> None:
    """Work until a signal comes. While Redis is away, wait for it. Raises ConfigError."""
    settings: Settings = app.extensions["settings"]
    if queue_name not in queue.QUEUES:
        raise ConfigError(
            f"A worker serves one queue: {' or '.join(queue.QUEUES)}, not {queue_name!r}."
        )
    use_app(app)
    settle()
    connection = queue.connect(settings, timeout=IDLE_SECONDS + 10)
    worker = None
    while worker is None or not worker.must_stop:
        _let_signals_end_us()
        _wait_for(connection)
        worker = _work(queue_name, connection)


def _work(queue_name: str, connection: Redis) -> PortalWorker | None:
    """One worker, until it is told to stop or loses Redis."""
    worker = None
    try:
        worker = PortalWorker(
            [queue_name],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=IDLE_SECONDS + 15,  # RQ waits for a job 15 seconds less
            job_monitoring_interval=HEARTBEAT_SECONDS,
            maintenance_interval=IDLE_SECONDS,
        )
        worker.work(logging_level=None)
    except RedisError as error:
        log.debug("The worker lost its connection to Redis: %s", error)
    return worker


def _let_signals_end_us() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)


def _exit(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def _wait_for(connection: Redis) -> None:
    """Return when Redis takes what we write; say once that it does not, and once that it does.

    A server that is full or refuses us answers a ping all the same.
    """
    is_away = False
    while True:
        try:
            connection.set(PROBE, 1, ex=1)
        except RedisError as error:
            if not is_away:
                log.warning("%s, waiting for it: %s", queue.state_of(error), error)
            is_away = True
            time.sleep(1)
        else:
            if is_away:
                log.warning("Redis is back.")
            return
