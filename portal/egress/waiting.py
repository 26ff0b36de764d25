"""Where nothing may wait for somebody else's server: in a request to our own web server.

A few servers that drip would hold all of its threads. Requests leave such work to workers.
"""

from __future__ import annotations

from contextvars import ContextVar

_is_shut: ContextVar[bool] = ContextVar("egress_is_shut", default=False)


class CalledInRequest(RuntimeError):
    """A request was about to wait for another server: a mistake in the program."""


def shut_egress() -> None:
    """From now on in this thread, until `reopen_egress`."""
    _is_shut.set(True)


def reopen_egress() -> None:
    _is_shut.set(False)


def check_open() -> None:
    """Raises CalledInRequest."""
    if _is_shut.get():
        raise CalledInRequest("No request waits for another server: leave that to a worker.")
