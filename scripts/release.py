"""Say whether what the lock names may be released: `make release-check`.

Ends with 0 where no vulnerability is known and the lock is young enough, with 1 where one is known
or it is too old, and with 3 where nothing can be known; see CONTRIBUTING.md for the times.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts import audit

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt")
OLDEST = timedelta(days=90)
"""How long a lock serves without having been made anew."""


def main() -> int:
    made = [time for time in map(read_time, LOCKS) if time is not None]
    age = say_age(min(made) if len(made) == len(LOCKS) else None, datetime.now(UTC))
    known = audit.main([])
    return known if known != audit.CLEAN else age


def say_age(made: datetime | None, now: datetime) -> int:
    """`made`: when the older one of the locks was last changed; None where nobody can tell."""
    if made is None:
        print("Nothing says when the lock was made: this is no checkout.", file=sys.stderr)
        return audit.UNKNOWN
    days = (now - made).days
    print(f"The lock is {days} days old, of at most {OLDEST.days}.")
    return audit.CLEAN if now - made <= OLDEST else audit.VULNERABLE


def read_time(name: str) -> datetime | None:
    """When the file was last committed."""
    words = ["git", "log", "-1", "--format=%ct", "--", name]
    said = subprocess.run(  # noqa: S603
        words, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return datetime.fromtimestamp(int(said), UTC) if said else None


if __name__ == "__main__":
    sys.exit(main())
