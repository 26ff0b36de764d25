"""All children of the supervisor, and the signals that stop them."""

from __future__ import annotations

import signal
import time

from portal.supervisor.children import Child, say

PATIENCE_SECONDS = 5.0
"""For a worker in the middle of a job. What it had not finished goes on after the next start."""


class Interrupted(BaseException):
    """A signal came while the portal was starting."""


class Crew:
    def __init__(self) -> None:
        self.children: list[Child] = []
        self._signals = 0
        self._is_watching = False

    def handle_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def add(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def watch(self) -> None:
        """Start again what dies, until a signal comes."""
        self._is_watching = True
        while not self._signals:
            for child in self.children:
                child.look_after()
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask all to stop, servers last; kill what does not, and all at once after a signal more."""
        self._is_watching = True
        signals_before = max(self._signals, 1)
        for is_server in (False, True):
            group = [child for child in self.children if child.is_server is is_server]
            for child in group:
                child.ask_to_stop()
            give_up = time.monotonic() + PATIENCE_SECONDS
            while any(child.is_alive() for child in group):
                if self._signals > signals_before or time.monotonic() > give_up:
                    break
                time.sleep(0.02)
            for child in group:
                if child.is_alive():
                    say(f"{child.name} does not stop and is killed")
                child.kill()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1
        if not self._is_watching:
            raise Interrupted
