"""All children of the supervisor, and the signals that stop them."""

from __future__ import annotations

import signal
import time

from portal.errors import PortalError
from portal.supervisor.children import Child, say

STOP_TIMEOUT_SECONDS = 5.0
"""For a worker in the middle of a job. What it had not finished goes on after the next start."""
ROUND_SECONDS = 0.05


class Interrupted(BaseException):
    """A signal came: stop."""


class Supervisor:
    """One thread does everything: it forks, and shows what the children print."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._signals = 0

    def handle_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def add(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def run_step(self, child: Child) -> None:
        """Run a child to its end, before anything else. Raises PortalError when it fails."""
        self.add(child)
        while child.is_alive():
            self._round()
        child.show_output()
        if child.exit_code != 0:
            raise PortalError(f"{child.name} failed ({child.how_it_ended()}).")

    def watch(self) -> None:
        """Start again what dies, until a signal comes. Raises Interrupted."""
        while True:
            for child in self.children:
                child.look_after()
            self._round()

    def stop(self) -> None:
        """Ask all to stop, servers last; kill what does not, and at once after another signal."""
        signals_before = max(self._signals, 1)
        for is_server in (False, True):
            group = [child for child in self.children if child.is_server is is_server]
            for child in group:
                child.ask_to_stop()
            give_up = time.monotonic() + STOP_TIMEOUT_SECONDS
            while any([child.is_alive() for child in group]):  # noqa: C419  # reap every one
                if self._signals > signals_before or time.monotonic() > give_up:
                    break
                self._show_output()
                time.sleep(ROUND_SECONDS)
            for child in group:
                self._end(child)

    def _end(self, child: Child) -> None:
        if child.is_alive():
            say(f"{child.name} did not stop and was killed")
        child.kill()
        child.show_output()
        child.close_output()

    def _round(self) -> None:
        self._show_output()
        time.sleep(ROUND_SECONDS)
        if self._signals:
            raise Interrupted

    def _show_output(self) -> None:
        for child in self.children:
            child.show_output()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1
