"""Every benchmark, one after the other; what they print becomes `benchmarks/RESULTS.md`.

    make bench

Nothing else should run on the machine meanwhile. It takes about forty minutes.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
BENCHMARKS = {
    "Device sync": "devices",
    "Software ingest": "software",
    "Webhook intake": "intake",
    "Messages about alerts": "alert_messages",
    "Pages": "pages",
    "Lists of the API": "api",
    "Page size of the beta list": "page_size",
}


def main() -> None:
    parts = [f"# Results\n\n{machine()}\n"]
    for title, name in BENCHMARKS.items():
        about = (import_module(f"benchmarks.{name}").__doc__ or "").strip()
        print(f"\n## {title}\n", flush=True)
        parts.append(f"## {title}\n\n{about}\n\n{run(name)}\n")
    RESULTS.write_text("\n".join(parts))


def run(name: str) -> str:
    """What it prints, shown as it comes."""
    lines = []
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}; the results are as they were.")
    return "".join(lines).strip()


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB. "
        "Servers, databases and load run on the same cores, on loopback."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "of an unknown kind"


if __name__ == "__main__":
    main()
