"""The simulated Tactical server, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tactical_simulator import RemoteControl


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    api_key: str

    def set_pace(self, *, live: bool) -> None:
        """Whether long lists take as long as on a live server, or come flat out."""
        RemoteControl(self.url).server.set(live_pace=live)

    def set_spelling(self, spelling: str) -> None:
        """How JSON is written: see `tactical_simulator.transport.spelling`."""
        RemoteControl(self.url).server.set(spelling=spelling)


@contextmanager
def tactical(agents: int, *arguments: str) -> Iterator[Server]:
    """A server with so many agents, none of which checks in; `arguments` are the simulator's."""
    command = [sys.executable, "-m", "tactical_simulator", "--agents", str(agents), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--show-credentials", "--frozen", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Server(ready["url"], ready["api_key"])
    finally:
        process.terminate()
        process.wait()
