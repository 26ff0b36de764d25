"""A child process: a fork of the supervisor, in which everything is imported already."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from portal.errors import PortalError
from portal.supervisor.logs import console_line
from portal.supervisor.parent import die_with_parent

log = logging.getLogger(__name__)

SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 10.0
"""A child that ran this long is started again without a longer pause."""


def say(line: str, name: str = "portal") -> None:
    """One line on the console. A console that went away must not stop the portal."""
    with contextlib.suppress(BrokenPipeError, UnicodeEncodeError):
        print(console_line(name, line), flush=True)


@dataclass(eq=False)
class Child:
    """`work` is what the process does until SIGTERM, or until it is done when it `ends`."""

    name: str
    work: Callable[[], object]
    ends: bool = False
    is_server: bool = False
    """Others need it: it is stopped after them."""
    pid: int = field(default=0, init=False)
    exit_code: int | None = field(default=None, init=False)
    """None while it runs; below zero, the signal that ended it."""
    _output: int = field(default=-1, init=False)
    _unfinished_line: bytes = field(default=b"", init=False)
    _started_at: float = field(default=0.0, init=False)
    _start_again_at: float | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)

    def start(self) -> None:
        """Only while the supervisor has one thread: a fork copies the locks of the others."""
        self.close_output()
        self._start_again_at, self.exit_code = None, None
        self._started_at = time.monotonic()
        supervisor = os.getpid()
        self._output, write_end = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become_child(self.work, supervisor, write_end)
        os.close(write_end)
        os.set_blocking(self._output, False)

    def is_alive(self) -> bool:
        if self.pid and self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return bool(self.pid) and self.exit_code is None

    def look_after(self) -> None:
        """Start it again when it died: soon the first time, later when it keeps dying."""
        if self.is_alive() or (self.ends and self.exit_code == 0):
            return
        if self._start_again_at is None:
            pause = self._next_pause()
            self._start_again_at = time.monotonic() + pause
            self.kill()
            say(f"{self.name} ended ({self.how_it_ended()}), starting it again in {pause:.1f} s")
        elif time.monotonic() >= self._start_again_at:
            self.start()

    def ask_to_stop(self) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """It and its process group. A worker's job leaves the group, and dies with its worker."""
        if not self.pid:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        while self.is_alive():
            time.sleep(0.005)

    def show_output(self) -> None:
        """Print the lines that came since the last call."""
        while self._output >= 0:
            try:
                chunk = os.read(self._output, 65536)
            except BlockingIOError:
                return
            *lines, self._unfinished_line = (self._unfinished_line + chunk).split(b"\n")
            for line in lines:
                say(line.decode(errors="replace").rstrip(), self.name)
            if not chunk:
                self.close_output()

    def close_output(self) -> None:
        if self._output >= 0:
            os.close(self._output)
        self._output, self._unfinished_line = -1, b""

    def how_it_ended(self) -> str:
        code = self.exit_code or 0
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def _next_pause(self) -> float:
        ran_well = time.monotonic() - self._started_at > HEALTHY_AFTER
        self._failures = 0 if ran_well else self._failures + 1
        return min(SHORTEST_PAUSE * 2.0 ** max(self._failures - 1, 0), LONGEST_PAUSE)


def _become_child(work: Callable[[], object], supervisor: int, output: int) -> None:
    """Never returns. Ctrl-C is for the supervisor only, hence the session of its own."""
    code = 1
    try:
        die_with_parent(supervisor)
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except PortalError as error:
        print(error.message, file=sys.stderr)
    except BaseException:
        log.critical("Uncaught exception.", exc_info=True)
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
