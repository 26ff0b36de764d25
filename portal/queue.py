"""The only place that hands work to RQ. A job carries ids and nothing else.

The database says what is to be done; a job only says "look now". So losing Redis, a job or
a worker loses no work: the schedule's tick enqueues again whatever still waits.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, OutOfMemoryError, ResponseError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from portal.config import Settings
from portal.work_id import get_work_id

log = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 2.0
QUICK_REDIS_TIMEOUT_SECONDS = 0.2

ASKED: Final = "asked"
"""Somebody sits and waits for what another server says: seconds. A queue of its own, so that
neither what webhooks bring nor the servers that it asks hold up the other."""
QUICK: Final = "quick"
"""Webhooks, single agents, organizations: seconds."""
STEADY: Final = "steady"
"""Every few minutes, for whole fleets: seconds, up to a minute or two."""
BULK: Final = "bulk"
"""Whole fleets: minutes, up to an hour. They must not make anyone wait for a connection test."""
EVENTS: Final = "events"
"""Other people's servers: a slow one may hold up those beside it, but no sync and no webhook."""
MESSAGES: Final = "messages"
"""What people are told of alerts: nothing else may hold it up."""

TICKETS: Final = "tickets"
"""Helpdesks, which are slow: beside messages, and not before them."""

QUEUES: Final = {ASKED: 2, QUICK: 2, STEADY: 1, BULK: 1, EVENTS: 1, MESSAGES: 1, TICKETS: 1}
"""How many workers each queue has. A worker serves one queue: with several, RQ takes a job
by a command that can lose it."""

WORK_ID: Final = "work_id"
"""In a job's `meta`: the id that lines of the log carry, from the request on."""
KEEP_FAILED_SECONDS = 60
"""Its traceback is in the log; Redis need not keep it."""
KEEP_WAITING_SECONDS = 1800
"""A job that nobody took may be a leftover; the tick enqueues what is still due."""

TURNS: Final = "portal:turns"

_STANDS_IN_LINE: Final = """
local waiting = redis.call('GET', KEYS[1])
if waiting and (redis.call('LPOS', KEYS[2], waiting) or redis.call('LPOS', KEYS[3], waiting)) then
  return 1
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 0
"""


@dataclass(frozen=True, slots=True)
class Job:
    """`timeout` only catches what hangs: whatever the job waits for has limits of its own.

    Of each queue's workers a tenant has one at a time: see `portal.supervisor.turns`.
    """

    function: str
    queue: str
    timeout: int
    ids: int = 2
    """How many it takes, the tenant's first."""


JOBS: Final = {
    # Room for a fleet of 50,000 on a slow server; the run's lease shows sooner that a worker died.
    "sync_devices": Job("portal.jobs.sync.run_sync", BULK, timeout=3600),
    # 35 KB an agent, in one answer that Tactical makes up to five minutes long.
    "sync_software": Job("portal.jobs.sync.run_sync", BULK, timeout=3600),
    # Alerts, 9 ms each at Tactical, sweeps of the status, 3 ms an agent, and a few hundred
    # chosen agents, a request each.
    "sync_steadily": Job("portal.jobs.sync.run_sync", STEADY, timeout=3600),
    # A few pages.
    "sync_organizations": Job("portal.jobs.sync.run_sync", QUICK, timeout=600),
    # One request, which may wait for a throttle.
    "refresh_agent": Job("portal.jobs.sync.refresh_agent", QUICK, timeout=600),
    # About a dozen requests, each with its own limit.
    "test_connection": Job("portal.jobs.connection.test_connection", ASKED, timeout=180),
    # Each alert named is one request; a job that is cut off is taken up by the next.
    "process_deliveries": Job("portal.jobs.webhooks.process_deliveries", QUICK, 600, ids=1),
    # A dozen requests, and a test for which Tactical waits up to 8 s.
    "install_webhook": Job("portal.jobs.webhooks.install_webhook", ASKED, timeout=180),
    # A portion of alerts at Tactical, which gives up sooner; all else is a few requests.
    "do_errand": Job("portal.jobs.errands.do_errand", ASKED, timeout=300),
    # A thousand rows at a time; what is cut off is done the next day.
    "prune_deliveries": Job("portal.jobs.webhooks.prune_deliveries", BULK, timeout=600),
    # A turn of 20 seconds, and what it waits for; then it is another subscriber's.
    "deliver_events": Job("portal.jobs.events.deliver_events", EVENTS, timeout=90),
    # What is due of a tenant, some hundreds at once; what is cut off is taken up by the next.
    "handle_alerts": Job("portal.jobs.alerts.handle_alerts", QUICK, timeout=120, ids=1),
    # A turn of 10 seconds, and the last attempt; then it is another channel's.
    "send_messages": Job("portal.jobs.alerts.send_messages", MESSAGES, timeout=90),
    # As of messages: one or a few requests for each thing, and a turn of 10 seconds.
    "do_tickets": Job("portal.jobs.tickets.do_tickets", TICKETS, timeout=120),
    # The open tickets of a helpdesk, a hundred in a few requests, as many as a turn is enough for.
    "poll_tickets": Job("portal.jobs.tickets.poll_tickets", TICKETS, timeout=120),
    "prune_events": Job("portal.jobs.events.prune_events", BULK, timeout=600),
    "prune_runs": Job("portal.jobs.sync.prune_runs", BULK, timeout=600),
    # A few statements for each day that is over; after long a year of them.
    "count_days": Job("portal.jobs.assets.count_days", BULK, timeout=600),
    # One request, and a sign-in where the token is gone.
    "keep_alive": Job("portal.jobs.connection.keep_alive", QUICK, timeout=120),
    # One request each, of a few; what is cut off is tried again.
    "sign_out": Job("portal.jobs.connection.sign_out", QUICK, timeout=120),
}


def enqueue(name: str, *ids: int) -> bool:
    """Ask a worker to do it. True also when a job for the same waits already.

    One that was taken already may have looked before the caller's commit, or died with its
    worker, so another is put behind it. False, with a line in the log, while Redis is away. Call
    it after the commit.
    """
    return _enqueue(_connection("redis", REDIS_TIMEOUT_SECONDS), name, ids)


def enqueue_quickly(name: str, *ids: int) -> bool:
    """For a caller that answers in milliseconds: a Redis that hangs must not keep it."""
    return _enqueue(_connection("quick_redis", QUICK_REDIS_TIMEOUT_SECONDS), name, ids)


def count_workers(name: str) -> int:
    """How many serve the queue, on whatever machines: at the least those of `portal run`."""
    try:
        registered: Any = _connection("redis", REDIS_TIMEOUT_SECONDS).scard(
            WORKERS_BY_QUEUE_KEY % name
        )
    except RedisError:
        registered = 0
    return max(int(registered), QUEUES[name])


def _enqueue(connection: Redis, name: str, ids: tuple[int, ...]) -> bool:
    job = JOBS[name]
    queue = Queue(job.queue, connection=connection, serializer=JSONSerializer)
    job_id = secrets.token_hex(8)
    try:
        if _stands_in_line(queue, f"{name}:{':'.join(map(str, ids))}", ids[0], job_id):
            return True
        queue.enqueue_call(
            job.function,
            args=list(ids),
            timeout=job.timeout,
            result_ttl=0,
            failure_ttl=KEEP_FAILED_SECONDS,
            ttl=KEEP_WAITING_SECONDS,
            job_id=job_id,
            meta={WORK_ID: get_work_id()},
        )
    except RedisError as error:
        log.warning("%s; job %s%s waits in the database: %s", state_of(error), name, ids, error)
        return False
    return True


def aside_key(queue: str, tenant_id: object) -> str:
    """The list of a tenant's jobs that let others go first; see `portal.supervisor.turns`."""
    return f"{TURNS}:{queue}:waiting:{tenant_id}"


def _stands_in_line(queue: Queue, what: str, tenant_id: int, job_id: str) -> bool:
    """Whether a job for this waits; if none does, the new one is noted to be about to.

    The lines themselves are asked. What RQ says of a job is not to be believed: one that a
    worker took, and was killed with before it began, went on to be "queued" for more than six
    minutes when tried. Two callers at the same moment may both find that none waits; a job
    that comes twice does nothing.
    """
    noted = f"portal:in-line:{queue.name}:{what}"
    keys = [noted, queue.key, aside_key(queue.name, tenant_id)]
    redis = queue.connection
    return bool(redis.eval(_STANDS_IN_LINE, len(keys), *keys, job_id, KEEP_WAITING_SECONDS))


def connect(settings: Settings, timeout: float = REDIS_TIMEOUT_SECONDS) -> Redis:
    """A connection that fails quickly and once: nobody waits for Redis but a worker."""
    return Redis.from_url(
        settings.effective_redis_url,
        socket_connect_timeout=min(1.0, timeout),
        socket_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


def state_of(error: RedisError) -> str:
    """What is the matter with Redis, in the words of a log."""
    if isinstance(error, OutOfMemoryError):
        return "Redis is full"
    refused = isinstance(error, ResponseError | AuthenticationError)
    return "Redis refuses" if refused else "Redis is away"


def _connection(kept_as: str, timeout: float) -> Redis:
    extensions = current_app.extensions
    if kept_as not in extensions:
        extensions[kept_as] = connect(extensions["settings"], timeout)
    connection: Redis = extensions[kept_as]
    return connection
