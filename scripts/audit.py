"""Look for known vulnerabilities of what the development lock names: `make audit`.

Ends with 0 where none is known, with 1 where one is, and with 3 where the database could not tell
of each package: nothing is known then, which is not the same as no vulnerability.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements-dev.txt"
"""It holds every version of the other lock file."""
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 3


def main(arguments: Sequence[str]) -> int:
    """`arguments`: more ones for pip-audit, such as `--vulnerability-service osv`."""
    answer = _ask(arguments)
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except ValueError:
        reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
        print(
            f"The database of vulnerabilities could not be asked, so nothing is known: {reason}",
            file=sys.stderr,
        )
        return UNKNOWN
    return report(packages)


def report(packages: Sequence[Mapping[str, Any]]) -> int:
    """Say what pip-audit found of each package; the code to end with."""
    skipped = [each for each in packages if "skip_reason" in each]
    found = [(each, one) for each in packages for one in each.get("vulns", ())]
    for package, one in found:
        mended = ", ".join(one["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {one['id']}, mended in {mended}")
    for package in skipped:
        print(f"{package['name']} was not looked up: {package['skip_reason']}", file=sys.stderr)
    asked = f"{len(packages) - len(skipped)} of {len(packages)} packages"
    print(f"{len(found) or 'No'} known vulnerabilities in {asked}.")
    if found:
        return VULNERABLE
    return UNKNOWN if skipped else CLEAN


def _ask(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """It reads the lock alone: nothing is installed or resolved."""
    words = ["--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    words += ["--format", "json", "--progress-spinner", "off", *arguments]
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pip_audit", *words], capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
