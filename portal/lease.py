"""The lease of a process on what it works at: short, renewed by a thread, ended by itself.

A process that is killed renews nothing, so another one soon goes on with what it held. One that
was only stopped for so long changes nothing when it comes back: whatever it writes asks for its
lease, which is gone.

Times are those of the machines: clocks that differ by seconds end leases early.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from flask import Flask

from portal.scope import get_tenant_id, tenant_scope
from portal.work_id import carried

log = logging.getLogger(__name__)

LEASE_TIME: Final = timedelta(seconds=12)
"""With a tick of the schedule and a worker's start, work goes on within 20 seconds."""
BEAT_SECONDS: Final = 3
"""Three beats may fail, or be late, before a lease ends."""


def make_lease() -> str:
    """A word that no other process has."""
    return secrets.token_hex(8)


@contextmanager
def beating(app: Flask, beat: Callable[[], bool], every: float = BEAT_SECONDS) -> Iterator[None]:
    """Call `beat` every so many seconds while the block runs, until it answers False.

    It runs in a thread, with a context of its own and the scope's tenant. What it raises is
    logged, and the next beat tries again: a busy database must not end the work.
    """
    stop, tenant_id = threading.Event(), get_tenant_id()

    def go_on() -> None:
        while not stop.wait(every):
            try:
                with app.app_context(), tenant_scope(tenant_id):
                    if not beat():
                        return
            except Exception:
                log.warning("A lease could not be renewed.", exc_info=True)

    thread = threading.Thread(target=carried(go_on), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
