"""How long an answer may take and how large it may be."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event

from portal.egress.errors import ConnectionLost, Timeout, TooLarge

MIB = 1024 * 1024
FREE_OUTPUT = MIB
HIGHEST_RATIO = 200
"""Real JSON packs to a fiftieth at best, a bomb to a thousandth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds, sizes in bytes. The time that the caller takes counts nowhere."""

    connect: float = 5.0
    """For one address; four times that for all addresses of a name."""
    idle: float = 30.0
    """Until the first piece of the answer, and between two."""
    total: float = 300.0
    """Spent on waiting for the answer."""
    largest: int = 32 * MIB
    """After decompression."""
    slowest: int = 1024
    """Bytes a second, once the answer has begun."""
    window: float = 30.0
    """How long an answer may be slower than that."""


class Meter:
    """Watches one answer come in, header and body. Raises Timeout and TooLarge.

    Once `given_up` is set nobody waits for the rest, and it counts as lost.
    """

    def __init__(self, host: str, limits: Limits, given_up: Event | None = None) -> None:
        self._host = host
        self._limits = limits
        self._given_up = given_up
        self._waited = 0.0
        self._window_seconds = 0.0
        self._window_bytes = 0
        self._output = 0
        self._has_begun = False

    def get_patience(self) -> float:
        """Seconds that the next piece may take."""
        left = self._limits.total - self._waited
        if left <= 0:
            raise Timeout(
                self._host, f"The answer was not complete after {self._limits.total:g} seconds."
            )
        return min(self._limits.idle, left)

    def check_wanted(self) -> None:
        if self._given_up is not None and self._given_up.is_set():
            raise ConnectionLost(self._host, "It was given up.")

    def count_input(self, size: int, seconds: float) -> None:
        """A piece of `size` bytes came after `seconds` of waiting."""
        self._waited += seconds
        if not self._has_begun:  # the server may think before it begins
            self._has_begun = True
            return
        self._window_seconds += seconds
        self._window_bytes += size
        if self._window_seconds < self._limits.window:
            return
        if self._window_bytes < self._limits.slowest * self._window_seconds:
            raise Timeout(self._host, "The answer came too slowly.")
        self._window_seconds, self._window_bytes = 0.0, 0

    def count_output(self, size: int, pulled: int) -> None:
        """`size` more bytes after decompression; `pulled` came over the wire so far."""
        self._output += size
        is_bomb = self._output > FREE_OUTPUT and self._output > HIGHEST_RATIO * pulled
        if self._output > self._limits.largest or is_bomb:
            raise TooLarge(self._host, f"{self._limits.largest / MIB:g} MiB")


current_meter: ContextVar[Meter] = ContextVar("current_meter")
"""The meter of the request that this thread is about to send: urllib3 has no place for it."""
