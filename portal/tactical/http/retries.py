"""How often a read is tried, and what is waited for."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from itertools import count
from threading import Event
from typing import TypeVar

from portal.egress import EgressError, Timeout
from portal.tactical.errors import Abandoned, ServerError, TacticalError, Throttled

log = logging.getLogger(__name__)

MOST_TRIES = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""A longer Retry-After is reported instead of waited for."""
LONGEST_INTERACTIVE_PAUSE = 2.0

Value = TypeVar("Value")


class Retries:
    """`interactive`: a person waits, so little is waited for and tried again.

    `abandoned`, once set, ends every wait and every further try.
    """

    def __init__(self, interactive: bool, sleep: Callable[[float], object] | None = None) -> None:
        self.interactive = interactive
        self.abandoned = Event()
        self._sleep = sleep or self.abandoned.wait

    def try_often(self, attempt: Callable[[], Value], *, splits: bool = False) -> Value:
        """For reads only, and without a sign-in inside: that would use up Tactical's throttle.

        One that `splits` is not tried again when it took too long: the caller asks for less.
        Raises what the last attempt raised, or Abandoned.
        """
        for number in count(1):
            self.check()
            try:
                return attempt()
            except (EgressError, TacticalError) as error:
                if splits and took_too_long(error):
                    raise
                self.wait_after(error, number)
        raise AssertionError("it returns or raises")

    def wait_after(self, error: EgressError | TacticalError, number: int) -> None:
        """Pause before another try; `number` tries were made.

        Raises the error when there shall be none, and Abandoned.
        """
        self.check()
        pause = self._pause_after(error, number)
        if pause is None:
            raise error
        log.info("%s; trying again in %.1f s.", error.fault, pause)
        self._sleep(pause)

    def pause(self, seconds: float) -> None:
        """Raises Abandoned."""
        self.check()
        self._sleep(seconds)

    def check(self) -> None:
        """Raises Abandoned when nobody waits any more."""
        if self.abandoned.is_set():
            raise Abandoned

    def _pause_after(self, error: EgressError | TacticalError, number: int) -> float | None:
        """Seconds until the next try; None when there shall be none."""
        if number == MOST_TRIES or not error.retryable:
            return None
        if isinstance(error, Throttled):
            longest = LONGEST_INTERACTIVE_PAUSE if self.interactive else LONGEST_PAUSE
            return error.seconds if error.seconds <= longest else None
        if self.interactive and (number > 1 or isinstance(error, Timeout)):
            return None
        pause: float = FIRST_PAUSE * 2 ** (number - 1)
        return pause * random.uniform(0.5, 1.5)  # noqa: S311  # spreads retries, guards nothing


def took_too_long(error: EgressError | TacticalError) -> bool:
    """The answer did not come in time, or what stands in front of Tactical gave it up."""
    return isinstance(error, Timeout) or (isinstance(error, ServerError) and error.status == 504)
