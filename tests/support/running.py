"""A whole portal, started as a person would, in a process of its own."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 60
FIRST_PORT, WORKERS, PORTS = 20_000, 16, 500
"""From where a test process takes ports, of so many each."""
PROGRAM = (sys.executable, "-m", "portal.supervisor")
_numbers = itertools.count()


class RunningPortal:
    def __init__(
        self,
        command: str,
        data_dir: Path,
        port: int,
        program: Sequence[str] = PROGRAM,
        folder: Path | None = None,
        /,
        **environ: str,
    ) -> None:
        self.environ = {
            "PATH": os.environ["PATH"],
            "PORTAL_DATA_DIR": str(data_dir),
            "PORTAL_PORT": str(port),
            **environ,
        }
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*program, command],
            cwd=folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str, seconds: float = START_SECONDS) -> str:
        """The line that holds the text."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            for line in self.lines:
                if text in line:
                    return line
            time.sleep(0.05)
        raise AssertionError(f"No line with {text!r} in:\n{self.output}")

    def end(self, number: signal.Signals, seconds: float = 10) -> int:
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip("\n"))


@contextmanager
def running_portal(
    data_dir: Path,
    port: int,
    command: str = "run",
    program: Sequence[str] = PROGRAM,
    folder: Path | None = None,
    /,
    **environ: str,
) -> Iterator[RunningPortal]:
    """`program` is the `portal` command, begun in that folder."""
    portal = RunningPortal(command, data_dir, port, program, folder, **environ)
    try:
        yield portal
    finally:
        if portal.process.poll() is None:
            portal.end(signal.SIGKILL)


def free_port() -> int:
    """One that nobody takes before the server that it is for does: below those that the system
    gives to whoever asks for any, and of this test process alone."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST_PORT + worker % WORKERS * PORTS
    for _ in range(PORTS):
        port = first + next(_numbers) % PORTS
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("There is no free port.")


def descendants(pid: int) -> dict[int, str]:
    """Process id to start time, of every process that `pid` and its children started."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(folder.name))
        if fields:
            parents[int(folder.name)] = (int(fields[1]), fields[19])
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for child, (its_parent, started) in parents.items():
            if its_parent == parent:
                found[child] = started
                waiting.append(child)
    return found


def parent_of(pid: int) -> int:
    """0 once it is gone."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def survivors(processes: dict[int, str], seconds: float = 5) -> set[int]:
    """Those that are still there after a while."""
    give_up = time.monotonic() + seconds
    alive = set(processes)
    while alive and time.monotonic() < give_up:
        alive = {pid for pid in alive if _is_same(pid, processes[pid])}
        time.sleep(0.02)
    return alive


def _is_same(pid: int, started: str) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z" and fields[19] == started


def _stat(pid: int) -> list[str]:
    """From /proc: state, parent and so on, after the name, which may hold blanks."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
