"""A child process: started, watched, stopped, its output shown line by line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHIM = str(Path(__file__).with_name("shim.py"))
SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
"""A child that ran this long is started again without a longer pause."""

_printing = threading.Lock()


def say(line: str, name: str = "portal") -> None:
    """One line on the console. A console that went away must not stop the portal."""
    with _printing, contextlib.suppress(BrokenPipeError, UnicodeEncodeError):
        print(f"{name:<9} | {line}", flush=True)


@dataclass
class Child:
    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()
    is_server: bool = False
    """Others need it: it is stopped after them."""
    start_again_at: float | None = field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _started_at: float = field(default=0.0, init=False)
    _failures: int = field(default=0, init=False)

    def start(self) -> None:
        """Call it in the main thread: on Linux a child dies with the thread that made it."""
        self.start_again_at = None
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", SHIM, str(os.getpid()), *self.command],
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.pass_fds,
            start_new_session=True,  # Ctrl-C is for the supervisor only
        )
        threading.Thread(target=self._show_output, args=(self._process,), daemon=True).start()

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look_after(self) -> None:
        """Start it again when it died: soon the first time, later when it keeps dying."""
        if self.is_alive():
            return
        if self.start_again_at is None:
            pause = self._next_pause()
            self.start_again_at = time.monotonic() + pause
            self.kill()
            say(f"{self.name} ended ({self._how_it_ended()}), starting it again in {pause:.1f} s")
        elif time.monotonic() >= self.start_again_at:
            self.start()

    def ask_to_stop(self) -> None:
        if self.is_alive():
            assert self._process is not None
            self._process.terminate()

    def kill(self) -> None:
        """It and its process group. A worker's job leaves the group, and dies with its worker."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _next_pause(self) -> float:
        ran_well = time.monotonic() - self._started_at > HEALTHY_AFTER
        self._failures = 0 if ran_well else self._failures + 1
        return min(SHORTEST_PAUSE * 2.0 ** max(self._failures - 1, 0), LONGEST_PAUSE)

    def _how_it_ended(self) -> str:
        assert self._process is not None
        code = self._process.returncode
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def _show_output(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                say(line.decode(errors="replace").rstrip(), self.name)
