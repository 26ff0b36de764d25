"""Jobs as a worker takes them from Redis: those of `portal.queue`, and nothing else.

Whoever writes to Redis can put anything there, and RQ would import and call what a job names: its
function, its callbacks, the addresses for its reports. So what was stored is looked at
before RQ reads it. Anything but ids for a function of our table is dropped, with a line in the log.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping
from typing import Any

from redis import Redis, RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job

from portal import queue

log = logging.getLogger(__name__)

LARGEST_DATA = 4096
"""Bytes, unpacked. A function's name and two ids take a hundred."""
LARGEST_FIELD = 65536
LARGEST_ID = 2**63 - 1
FIELDS = frozenset(
    (
        "allow_dependency_failures",
        "created_at",
        "data",
        "description",
        "ended_at",
        "enqueue_at_front",
        "enqueued_at",
        "failure_ttl",
        "last_heartbeat",
        "meta",
        "origin",
        "result_ttl",
        "started_at",
        "status",
        "timeout",
        "ttl",
        "worker_name",
    )
)
"""What RQ keeps of a job of ours. Any other field must be empty: callbacks, webhooks, results,
dependencies, repetitions."""


class QueuedJob(Job):
    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> Job:
        """Raises NoSuchJobError, which RQ passes over, for what is no job of ours."""
        try:
            return super().fetch(id, connection=connection, serializer=serializer)
        except (NoSuchJobError, RedisError):
            raise
        except Exception as error:
            log.warning("A job from Redis was dropped because RQ cannot read it: %s", error)
            if connection is not None:
                connection.delete(f"{cls.redis_job_namespace_prefix}{id}")
            raise NoSuchJobError(str(error)) from error

    def restore(self, raw_data: Mapping[bytes, bytes]) -> Any:
        problem = find_problem(raw_data)
        if problem is not None:
            log.warning("The job %s from Redis was dropped: %s.", self.id, problem)
            self.connection.delete(self.key)
            raise NoSuchJobError(problem)
        return super().restore(raw_data)


def find_problem(stored: Mapping[bytes, bytes]) -> str | None:
    """What is wrong with the fields of a job; None for one of ours."""
    fields = {name.decode(errors="replace"): value for name, value in stored.items()}
    foreign = sorted(name for name, value in fields.items() if value and name not in FIELDS)
    if foreign:
        return f"it has {', '.join(foreign)}"
    if any(len(value) > LARGEST_FIELD for value in fields.values()):
        return "it is too large"
    call = _read_call(fields.get("data", b""))
    if call is None:
        return "its data is not a call"
    function, ids = call
    jobs = [job for job in queue.JOBS.values() if job.function == function]
    if not any(job.queue.encode() == fields.get("origin") for job in jobs):
        return f"its queue has no function {function}"
    if any(len(ids) != job.ids for job in jobs) or not all(map(_is_id, ids)):
        return f"its arguments are not those of {function}"
    return None


def _read_call(data: bytes) -> tuple[str, list[object]] | None:
    """The function's name and its arguments; None for anything that we do not write."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, LARGEST_DATA)
        call = json.loads(text) if not unpacker.unconsumed_tail else None
    except (zlib.error, ValueError, RecursionError):
        return None
    match call:
        case [str() as function, None, [*ids], dict() as named] if not named:
            return function, ids
    return None


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_ID
