"""How long an answer may take and how large it may be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event

from portal.egress.errors import ConnectionLost, Timeout, TooLarge

KIB = 1024
MIB = 1024 * KIB
FREE_OUTPUT = MIB
HIGHEST_RATIO = 200
"""Real JSON packs to a fiftieth at best, a bomb to a thousandth."""
FREE_WRAPPING = 128 * KIB
"""Received around the content: certificates, status lines, headers, trailers. And what is read
ahead of it, less than half of that."""
LEAST_AHEAD, MOST_AHEAD = 32 * KIB, 256 * KIB
"""Asked of the socket at once. A call to it costs as much as to copy many KiB."""
WRAPPING_RATIO = 4
"""Received for each byte of content: rows of ten bytes, each in a chunk and TLS record of its
own, come near it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds, sizes in bytes. The time that the caller takes counts nowhere."""

    connect: float = 5.0
    """For one address, and again for TLS; four times that for all addresses of a name."""
    idle: float = 30.0
    """Until the first piece of the answer, and between two."""
    total: float = 300.0
    """For everything from the name's look-up to the last byte, on the clock of the wall."""
    largest: int = 32 * MIB
    """After decompression. What may be received at all follows from it."""
    slowest: int = 1024
    """Bytes a second, once the answer has begun."""
    window: float = 30.0
    """How long an answer may be slower than that."""


class Meter:
    """Watches one call: its clock, and every byte that its socket receives.

    Raises Timeout and TooLarge. Once `given_up` is set nobody waits for the rest, and it
    counts as lost.
    """

    def __init__(self, host: str, limits: Limits, given_up: Event | None = None) -> None:
        self.connect = limits.connect
        self._host = host
        self._limits = limits
        self._given_up = given_up
        self._left = limits.total
        self._until = 0.0
        self._window_seconds = 0.0
        self._window_bytes = 0
        self._received = 0
        self._output = 0
        self._has_begun = False
        self.was_sent = False
        """Whether anything of the request itself, past the handshake, was given to a socket."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the caller waits, the clock runs, and this thread's sockets use this meter."""
        self._until = time.monotonic() + self._left
        token = current_meter.set(self)
        try:
            yield
        finally:
            current_meter.reset(token)
            self._left = self._until - time.monotonic()

    def get_patience(self) -> float:
        """Seconds that the next piece may take. Raises when nothing more is waited for."""
        if self._given_up is not None and self._given_up.is_set():
            raise ConnectionLost(self._host, "The request was cancelled.")
        left = self._until - time.monotonic()
        if left <= 0:
            raise Timeout(
                self._host, f"The answer was not complete after {self._limits.total:g} seconds."
            )
        return min(self._limits.idle, left)

    def get_ahead(self) -> int:
        """Bytes to ask for: as many as came of the content, which `count_received` leaves room
        for."""
        return min(MOST_AHEAD, max(LEAST_AHEAD, self._output))

    def count_received(self, size: int) -> None:
        """`size` more bytes came over the socket, whatever they are."""
        self._received += size
        if self._received > FREE_WRAPPING + WRAPPING_RATIO * self._output:
            raise TooLarge(self._host, f"{FREE_WRAPPING // KIB} KiB in addition to its content")

    def count_input(self, size: int, seconds: float) -> None:
        """`size` bytes of the answer, header or body, came after `seconds` of waiting."""
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

    def count_output(self, size: int) -> None:
        """`size` more bytes of content, after decompression."""
        self._output += size
        is_bomb = self._output > FREE_OUTPUT and self._output > HIGHEST_RATIO * self._received
        if self._output > self._limits.largest or is_bomb:
            raise TooLarge(self._host, f"{self._limits.largest / MIB:g} MiB unpacked")


current_meter: ContextVar[Meter] = ContextVar("current_meter")
"""The meter of the call that this thread waits for: urllib3 has no place for it."""
