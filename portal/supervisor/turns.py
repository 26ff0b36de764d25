"""Fair turns: of each queue's workers, one tenant has one at a time.

A job whose tenant is at work already waits aside. When that one ends, it goes to the end of the
queue, behind what other tenants enqueued meanwhile. So a tenant with a great deal to do, or with
a server that hangs, keeps one worker, and the others stay free for everybody else.

It is kept in Redis, which all workers share. What is lost with it is found again as every job
is: the database knows what waits.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis
from rq import Queue
from rq.job import Job

from portal.queue import TURNS, aside_key

LASTS_SECONDS = 7
"""Without a sign of life of the worker, which gives one every two, its tenant's turn ends."""

_TAKE: Final = """
redis.call('LREM', KEYS[4], 1, ARGV[1])
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return 1 end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[3])
return 0
"""

_KEEP: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
"""

_HAND_OVER: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return end
redis.call('DEL', KEYS[1])
local waiting = redis.call('LPOP', KEYS[2])
while waiting do
  if redis.call('EXISTS', ARGV[3] .. waiting) == 1 then
    return redis.call('RPUSH', KEYS[4], waiting)
  end
  waiting = redis.call('LPOP', KEYS[2])
end
redis.call('SREM', KEYS[3], ARGV[2])
"""


class Turns:
    """Of one queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._redis: Redis = queue.connection

    def take(self, job: Job) -> bool:
        """Whether the job may run now; if not, it was put aside."""
        tenant_id = _tenant_of(job)
        keys = [*self._keys(tenant_id), self._queue.intermediate_queue_key]
        return bool(self._redis.eval(_TAKE, len(keys), *keys, job.id, LASTS_SECONDS, tenant_id))

    def keep(self, job: Job) -> None:
        """The worker is alive."""
        self._redis.eval(_KEEP, 1, self._keys(_tenant_of(job))[0], job.id, LASTS_SECONDS)

    def hand_over(self, job: Job) -> None:
        """It ended: let the tenant's next job into the queue."""
        self._hand_over(_tenant_of(job), job.id)

    def hand_over_lost(self) -> None:
        """Let those go on whose tenant's worker died."""
        waiting: set[Any] = self._redis.smembers(self._name("waiting"))
        for tenant_id in waiting:
            self._hand_over(tenant_id.decode(), "")

    def forget(self) -> None:
        """Nothing runs."""
        for key in self._redis.scan_iter(match=self._name("at-work:*")):
            self._redis.delete(key)

    def _hand_over(self, tenant_id: str, job_id: str) -> None:
        keys = [*self._keys(tenant_id), self._queue.key]
        prefix = Job.redis_job_namespace_prefix
        self._redis.eval(_HAND_OVER, len(keys), *keys, job_id, tenant_id, prefix)

    def _keys(self, tenant_id: str) -> list[str]:
        """Who is at work, who waits aside, and for which tenants somebody does."""
        return [
            self._name(f"at-work:{tenant_id}"),
            aside_key(self._queue.name, tenant_id),
            self._name("waiting"),
        ]

    def _name(self, what: str) -> str:
        return f"{TURNS}:{self._queue.name}:{what}"


def _tenant_of(job: Job) -> str:
    """The first of a job's ids."""
    args: Any = job.args
    return str(args[0])
