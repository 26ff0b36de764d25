"""Dying with one's parent, so that a supervisor that is killed leaves nothing behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Call it first thing after a fork, with the process id of the one that forked.

    Linux only; elsewhere a supervisor that is killed outright leaves its children.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
