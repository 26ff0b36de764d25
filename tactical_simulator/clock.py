"""The server's clock: the machine's, plus an offset that tests move."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def datetime(self) -> datetime:
        return moment(self.now())

    def advance(self, seconds: float) -> float:
        self.offset += seconds
        return self.offset


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
