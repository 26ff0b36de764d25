"""A portal under load whose parts are stopped and killed meanwhile."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from portal import queue
from tests.support.running import RunningPortal, descendants, parent_of

AFTER_REDIS = (
    *("web", "asked-1", "asked-2", "quick-1", "quick-2"),
    *("steady", "bulk", "events", "messages", "tickets", "scheduler"),
)
"""The supervisor's children in the order in which it starts them; see portal/supervisor."""

DUMP_SECONDS = 2
"""Until what they print has come."""


class Chaos:
    """Knows which process is which: taken once, when all of them have just been started."""

    def __init__(self, portal: RunningPortal) -> None:
        self._supervisor = portal.process.pid
        children = sorted(self._children() - self._find_redis())
        assert len(children) == 2 + sum(queue.QUEUES.values()), children
        named = dict(zip(children, AFTER_REDIS, strict=True))
        self._others = {pid for pid, name in named.items() if not name.startswith("quick")}
        self.killed = 0

    def kill_workers(self) -> None:
        """Those that process deliveries, and the jobs they are at."""
        for pid in self._children() - self._others - self._find_redis():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed += 1

    def kill_all(self) -> None:
        """Web, workers and the scheduler, and the jobs they are at; not Redis."""
        for pid in self._children() - self._find_redis():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed += 1

    def signal_redis(self, number: signal.Signals) -> None:
        for pid in self._find_redis():
            os.kill(pid, number)

    def dump_stacks(self) -> None:
        """Each process prints what its threads are at, and dies of it: see `faulthandler`, which
        PYTHONFAULTHANDLER asks for."""
        for pid in descendants(self._supervisor).keys() - self._find_redis():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSEGV)
        time.sleep(DUMP_SECONDS)

    def _children(self) -> set[int]:
        everyone = descendants(self._supervisor)
        return {pid for pid in everyone if parent_of(pid) == self._supervisor}

    def _find_redis(self) -> set[int]:
        return {pid for pid in self._children() if b"valkey-server" in _read(pid, "cmdline")}


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
