"""Processes that a test forked."""

from __future__ import annotations

import os
import signal
import time

ENDS_WITHIN = 10.0


def end_child(pid: int) -> None:
    """Ask it to end, again each second, as a supervisor would; at last end it.

    A signal that comes between two instructions may be lost on what ran just then, and a test that
    waits for ever would hold up all others.
    """
    give_up = time.monotonic() + ENDS_WITHIN
    while time.monotonic() < give_up:
        os.kill(pid, signal.SIGTERM)
        asked_again = time.monotonic() + 1
        while time.monotonic() < asked_again:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
