"""How often a read is tried, and what is waited for."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from portal.egress import AddressRefused, ConnectionLost, ConnectionRefused, Timeout, TooLarge
from portal.errors import PortalError
from portal.tactical.errors import (
    Abandoned,
    MissingPermission,
    NotFoundInTactical,
    RequestRefused,
    ServerError,
    Throttled,
    UnexpectedAnswer,
    WrongKey,
)
from portal.tactical.http.retries import Retries

HOST = "api.example.com"
PASSING = [
    ConnectionRefused(HOST, "refused"),
    ConnectionLost(HOST),
    Timeout(HOST),
    ServerError(502),
    UnexpectedAnswer(),
]
LASTING = [
    AddressRefused(HOST, "10.0.0.1"),
    TooLarge(HOST, "1 MiB"),
    WrongKey(),
    MissingPermission(),
    NotFoundInTactical(),
    RequestRefused("no"),
]


class Attempts:
    """Raises one error after the other, then returns the number of the attempt."""

    def __init__(self, *errors: PortalError) -> None:
        self.errors = list(errors)
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.count


def run(attempts: Attempts, interactive: bool = False) -> tuple[Any, list[float]]:
    """What came of it, and the pauses."""
    slept: list[float] = []
    try:
        return Retries(interactive, slept.append).try_often(attempts), slept
    except PortalError as error:
        return error, slept


@pytest.mark.parametrize("error", PASSING, ids=lambda error: error.fault)
def test_what_may_pass_is_tried_three_times(error: PortalError) -> None:
    assert run(Attempts(error))[0] == 2
    assert run(Attempts(error, error))[0] == 3
    attempts = Attempts(error, error, error)
    assert run(attempts)[0] is error
    assert attempts.count == 3


@pytest.mark.parametrize("error", LASTING, ids=lambda error: error.fault)
def test_what_lasts_is_tried_once(error: PortalError) -> None:
    attempts = Attempts(error)

    assert run(attempts) == (error, [])
    assert attempts.count == 1


def test_the_pauses_grow_and_differ() -> None:
    error = ServerError(503)
    schedules = [run(Attempts(error, error))[1] for _ in range(200)]

    for first, second in schedules:
        assert 0.25 <= first <= 0.75
        assert 0.5 <= second <= 1.5
    assert len({first for first, _ in schedules}) > 100


@pytest.mark.parametrize(
    ("interactive", "seconds", "waited"),
    [
        (False, 0, True),
        (False, 7.5, True),
        (False, 30, True),
        (False, 30.1, False),
        (False, 86_400, False),
        (True, 2, True),
        (True, 3, False),
    ],
)
def test_a_throttle_is_waited_out_exactly_or_not_at_all(
    interactive: bool, seconds: float, waited: bool
) -> None:
    error = Throttled(seconds)
    attempts = Attempts(error)

    result, slept = run(attempts, interactive)

    assert (result, slept) == ((2, [seconds]) if waited else (error, []))


def test_while_a_person_waits_little_is_tried_again() -> None:
    assert run(Attempts(ConnectionLost(HOST)), interactive=True)[0] == 2
    attempts = Attempts(*[ConnectionLost(HOST)] * 2)
    assert isinstance(run(attempts, interactive=True)[0], ConnectionLost)
    assert attempts.count == 2
    timeout = Attempts(Timeout(HOST))
    assert isinstance(run(timeout, interactive=True)[0], Timeout)
    assert timeout.count == 1


def test_other_errors_are_not_ours_to_repeat() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Retries(interactive=False).try_often(fail)


def test_whoever_is_abandoned_stops_waiting() -> None:
    patience = Retries(interactive=False)
    attempts = Attempts(Throttled(29))
    threading.Timer(0.02, patience.abandoned.set).start()

    with pytest.raises(Abandoned):
        patience.try_often(attempts)

    assert attempts.count == 1
    with pytest.raises(Abandoned):
        patience.try_often(attempts)
