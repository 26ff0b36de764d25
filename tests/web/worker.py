"""The worker of browser tests: a thread that does what the pages have put into the queues."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from portal.jobs.context import use_app
from portal.queue import QUEUES

PAUSE_SECONDS = 0.05


@contextmanager
def working(app: Flask, redis_url: str) -> Iterator[None]:
    use_app(app)
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(redis_url, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _work(redis_url: str, stop: threading.Event) -> None:
    with Redis.from_url(redis_url) as connection:
        queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in QUEUES]
        while not stop.wait(PAUSE_SECONDS):
            for queue in queues:
                for job in queue.get_jobs():
                    do, ids = job.func, job.args
                    job.delete()  # as RQ takes it out of the line first: it may come again
                    do(*ids)
