"""The simulated Tactical server, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys


def start_server(agents: int) -> tuple[subprocess.Popen[str], str, str]:
    """A simulated server in a process of its own; its address and API key."""
    command = [sys.executable, "-m", "portal.demo", "--agents", str(agents), "--port", "0"]
    server = subprocess.Popen(
        [*command, "--show-credentials", "--frozen"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    ready = json.loads(server.stdout.readline())
    return server, ready["url"], ready["api_key"]
