"""The throttle of the two sign-in calls: 10 a minute and 300 a day, each its own."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tactical_simulator.answers import Refused

RATES = ((10, 60), (300, 86_400))


class Throttle:
    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, int], list[float]] = {}

    def reset(self) -> None:
        self._calls.clear()

    def count(self, name: str, address: str, now: float) -> None:
        """Counts the call, successes too; raises the 429 that a live server gave."""
        waits = []
        for calls, seconds in RATES:
            history = self._calls.setdefault((name, address, seconds), [])
            history[:] = [moment for moment in history if moment > now - seconds]
            if len(history) >= calls:
                waits.append(math.ceil(history[0] + seconds - now))
            else:  # each rate counts for itself, what the other refused too
                history.append(now)
        if waits:
            raise throttled(max(waits))


def throttled(wait: int) -> Refused:
    unit = "second" if wait == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {wait} {unit}."
    return Refused(429, {"detail": detail}, {"Retry-After": str(wait)})


def address_of(environ: Mapping[str, str]) -> str:
    """The whole X-Forwarded-For counts as the address, as the REST framework takes it."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR")
    return "".join(forwarded.split()) if forwarded else environ.get("REMOTE_ADDR", "")
