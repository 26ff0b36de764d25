"""Where nothing may wait for somebody else's server: in a request to our own web server.

A few servers that drip would hold all of its threads. Requests leave such work to workers, but
for a sign-in at an identity provider, whose answer is wanted at once: that has a few slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

SLOTS = 3
"""Calls within requests that a process has open at once; it has eight threads."""
SLOTS_OF_ONE = 2
"""Of one tenant, so that its provider leaves one to the others."""

_is_shut: ContextVar[bool] = ContextVar("egress_is_shut", default=False)
_taken: Counter[int] = Counter()
_lock = Lock()


class CalledInRequest(RuntimeError):
    """A request was about to wait for another server: a mistake in the program."""


class NoSlotFree(Exception):
    """As many requests wait for other servers as may."""


def shut_egress() -> None:
    """From now on in this thread, until `reopen_egress`."""
    _is_shut.set(True)


def reopen_egress() -> None:
    _is_shut.set(False)


def check_open() -> None:
    """Raises CalledInRequest."""
    if _is_shut.get():
        raise CalledInRequest("No request waits for another server: leave that to a worker.")


@contextmanager
def slot_in_request(tenant_id: int) -> Iterator[None]:
    """Let the block of a request call other servers, for seconds at most. Raises NoSlotFree at
    once, rather than let a thread wait."""
    with _lock:
        if _taken.total() >= SLOTS or _taken[tenant_id] >= SLOTS_OF_ONE:
            raise NoSlotFree
        _taken[tenant_id] += 1
    was = _is_shut.get()
    _is_shut.set(False)
    try:
        yield
    finally:
        _is_shut.set(was)
        with _lock:
            _taken[tenant_id] -= 1
