"""Run as a script: become a command that dies when the process that started it dies.

    python shim.py PARENT_PID COMMAND [ARGUMENT …]

It imports nothing of the portal, so it costs a hundredth of a second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Linux only; elsewhere a supervisor that is killed outright leaves its children."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell, and that is right
