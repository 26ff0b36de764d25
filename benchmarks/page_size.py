"""How long a page of the beta list should be: time and memory of one whole walk.

    .venv/bin/python -m benchmarks.page_size --agents 2000

Each size runs in a process of its own, against one simulated server in another. Printed as
ratios to the plain download of the same bytes in the same run.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import subprocess
import sys
import time

from benchmarks.server import tactical
from benchmarks.steps import peak_memory
from portal.egress import EgressPolicy, Gateway, Limits
from portal.tactical.agents.source import choose_source
from portal.tactical.api import Tactical
from portal.tactical.http.session import ApiKey, TacticalSession

SIZES = (25, 50, 100, 200, 500, 1000)
LIMITS = Limits(largest=1 << 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=2000)
    parser.add_argument("--walk", nargs=3, metavar=("URL", "KEY", "SIZE"))
    options = parser.parse_args()
    if options.walk:
        url, key, size = options.walk
        print(json.dumps(walk(url, key, int(size))))
        return
    compare(options.agents)


def compare(agents: int) -> None:
    print("| page size | download s | walk s | ratio | peak RSS MiB |")
    print("|---|---|---|---|---|")
    with tactical(agents) as server:
        for size in SIZES:
            asked = (server.url, server.api_key, str(size))
            command = [sys.executable, "-m", "benchmarks.page_size", "--walk", *asked]
            result = json.loads(subprocess.check_output(command))
            ratio = result["walk"] / result["download"]
            print(
                f"| {size} | {result['download']:.2f} | {result['walk']:.2f} | {ratio:.2f} "
                f"| {result['rss']:.0f} |",
                flush=True,
            )


def walk(url: str, key: str, size: int) -> dict[str, float]:
    """Seconds of the walk, then of the bare download of the same pages, and peak memory."""
    gateway = Gateway(EgressPolicy([ipaddress.ip_network("127.0.0.0/8")]))
    tactical = Tactical(TacticalSession(url, ApiKey(key), gateway))
    source = choose_source(tactical, "beta")
    begun = time.perf_counter()
    pages = 0
    with source.walk(tactical, size).pages() as pages_of_agents:
        for _page in pages_of_agents:
            pages += 1
    walked = time.perf_counter() - begun
    rss = peak_memory()
    begun = time.perf_counter()
    for number in range(1, pages + 1):
        gateway.request(
            "GET",
            f"{url}/beta/v1/agent/?page={number}&page_size={size}",
            headers={"X-API-KEY": key},
            limits=LIMITS,
        )
    return {"walk": walked, "download": time.perf_counter() - begun, "rss": rss}


if __name__ == "__main__":
    main()
