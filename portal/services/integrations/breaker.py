"""When a server that fails is asked again, decided on values alone.

After five failures in a row scheduled work waits. One piece of it tries when the pause is over,
and each try doubles the next pause, up to an hour. The first success of anything ends it. What
a person asks for is always tried, and moves no try of the schedule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from portal.egress import EgressError
from portal.errors import PortalError
from portal.models.integrations.integration import Stop
from portal.tactical.errors import (
    Abandoned,
    ExpiredKey,
    InactiveUser,
    MissingPermission,
    TacticalError,
    TokenRefused,
    TotpNeeded,
    TotpSecretWrong,
    TotpWrong,
    WrongKey,
    WrongPassword,
)

FAILURES_TO_OPEN: Final = 5
FIRST_PAUSE: Final = timedelta(minutes=2)
LONGEST_PAUSE: Final = timedelta(hours=1)

REFUSALS: Final[dict[Stop, type[TacticalError]]] = {
    Stop.WRONG_KEY: WrongKey,
    Stop.EXPIRED_KEY: ExpiredKey,
    Stop.INACTIVE_USER: InactiveUser,
    Stop.WRONG_PASSWORD: WrongPassword,
    Stop.TOKEN_REFUSED: TokenRefused,
    Stop.TOTP_SECRET_WRONG: TotpSecretWrong,
    Stop.CODE_NEEDED: TotpNeeded,
}
_STOPS: Final[dict[type[BaseException], Stop]] = {
    **{error: stop for stop, error in REFUSALS.items()},
    TotpWrong: Stop.CODE_NEEDED,
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failures` in a row, the first of them at `since`. Open while `until` is a time."""

    failures: int = 0
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.until is not None

    def waits(self, now: datetime) -> bool:
        """Whether scheduled work waits."""
        return self.until is not None and now < self.until


CLOSED: Final = Breaker()


def after_failure(breaker: Breaker, now: datetime) -> Breaker:
    """Once it is open, tries count as they begin: one that ends in a failure is no news."""
    if breaker.is_open:
        return breaker
    failures = breaker.failures + 1
    until = now + pause_after(failures) if failures >= FAILURES_TO_OPEN else None
    return Breaker(failures, breaker.since or now, until)


def begin_try(breaker: Breaker, now: datetime) -> Breaker:
    """Of scheduled work, when the pause is over. All else of the schedule waits for this one."""
    failures = breaker.failures + 1
    return replace(breaker, failures=failures, until=now + pause_after(failures))


def pause_after(failures: int) -> timedelta:
    """How long scheduled work waits after so many failures in a row, five or more."""
    doublings = min(failures - FAILURES_TO_OPEN, 10)  # a large number would overflow
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def find_stop(error: BaseException | None) -> Stop | None:
    """What the credentials are refused for, if that is what the error says."""
    return None if error is None else _STOPS.get(type(error))


def is_of_server(error: PortalError) -> bool:
    """Whether the server could not be reached, or answered wrongly.

    Refused credentials and a missing permission are right answers: it is there.
    """
    if isinstance(error, Abandoned | MissingPermission) or find_stop(error) is not None:
        return False
    return isinstance(error, EgressError | TacticalError)
