"""How often a read is tried, and what is waited for."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from portal.egress import EgressError, Timeout
from portal.tactical.errors import Abandoned, TacticalError, Throttled

log = logging.getLogger(__name__)

MOST_TRIES = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
"""A longer Retry-After is reported instead of waited for."""

Value = TypeVar("Value")


class Patience:
    """`interactive`: a person waits, so no throttle is waited out and little tried again.

    `abandoned`, once set, ends every wait and every further try.
    """

    def __init__(self, interactive: bool, sleep: Callable[[float], object] | None = None) -> None:
        self.interactive = interactive
        self.abandoned = Event()
        self._sleep = sleep or self.abandoned.wait

    def try_often(self, attempt: Callable[[], Value]) -> Value:
        """For reads only, and without a sign-in inside: that would use up Tactical's throttle.

        Raises what the last attempt raised, or Abandoned.
        """
        for number in range(1, MOST_TRIES + 1):
            self.check()
            try:
                return attempt()
            except (EgressError, TacticalError) as error:
                pause = self._pause_after(error, number)
                if pause is None:
                    raise
                log.info("%s; trying again in %.1f s.", error.fault, pause)
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def wait_out(self, error: Throttled) -> bool:
        """Wait as long as Tactical asks, if that is not too long; whether it was done."""
        if not self._may_wait(error):
            return False
        self._sleep(error.seconds)
        return True

    def check(self) -> None:
        """Raises Abandoned when nobody waits any more."""
        if self.abandoned.is_set():
            raise Abandoned

    def _pause_after(self, error: EgressError | TacticalError, number: int) -> float | None:
        """Seconds until the next try; None when there shall be none."""
        if number == MOST_TRIES or not error.retryable:
            return None
        if isinstance(error, Throttled):
            return error.seconds if self._may_wait(error) else None
        if self.interactive and (number > 1 or isinstance(error, Timeout)):
            return None
        pause: float = FIRST_PAUSE * 2 ** (number - 1)
        return pause * random.uniform(0.5, 1.5)  # noqa: S311  # spreads retries, guards nothing

    def _may_wait(self, error: Throttled) -> bool:
        return not self.interactive and error.seconds <= LONGEST_PAUSE
