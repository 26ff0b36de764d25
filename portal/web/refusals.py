"""Lines in the log for requests that a control of the portal refused: security events.

Anybody can cause them, so each kind has so many lines a minute in each process; what came beyond is
told as a number.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from flask import g, request

from portal.models import User

log = logging.getLogger(__name__)

LINES_A_MINUTE = 20
MINUTE = 60


@dataclass
class Meter:
    """Counts the lines of each kind in a minute."""

    began: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, kind: str, now: float) -> tuple[bool, dict[str, int]]:
        """Whether this one gets a line, and how many got none in the minute that is over."""
        with self.lock:
            left_out: dict[str, int] = {}
            if now >= self.began + MINUTE:
                left_out = {
                    each: count - LINES_A_MINUTE
                    for each, count in self.counts.items()
                    if count > LINES_A_MINUTE
                }
                self.began, self.counts = now, {}
            self.counts[kind] = self.counts.get(kind, 0) + 1
            return self.counts[kind] <= LINES_A_MINUTE, left_out


_meter = Meter()


def log_refusal(kind: str) -> None:
    """With the route as it is declared: an address may hold a secret."""
    has_line, left_out = _meter.count(kind, time.monotonic())
    for each, count in left_out.items():
        log.warning("Refused %s more requests in the minute before: %s.", count, each)
    if has_line:
        user: User | None = g.get("user")
        who = f"user {user.id}" if user else f"somebody at {request.remote_addr}"
        where = request.url_rule or "an unknown address"
        log.warning("Refused %s: %s %s, %s.", who, request.method, where, kind)
