"""When a server that fails is asked again, on values alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.egress import EgressError
from portal.egress.errors import ConnectionRefused, Timeout
from portal.errors import PortalError, Refused
from portal.models.integrations.integration import Stop
from portal.services.integrations.breaker import (
    CLOSED,
    FAILURES_TO_OPEN,
    LONGEST_PAUSE,
    REFUSALS,
    Breaker,
    after_failure,
    begin_try,
    find_stop,
    is_of_server,
)
from portal.tactical.errors import (
    Abandoned,
    LoginThrottled,
    MissingPermission,
    NotTactical,
    ServerError,
    TacticalError,
    TotpWrong,
    UnexpectedAnswer,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECONDS = st.integers(0, 7200)


def failed(times: int) -> Breaker:
    """So often in a row, a minute apart, from noon on."""
    breaker = CLOSED
    for number in range(times):
        breaker = after_failure(breaker, NOON + timedelta(minutes=number))
    return breaker


def test_four_failures_are_not_five() -> None:
    assert failed(4) == Breaker(4, NOON, None)
    opened = failed(5)
    assert (opened.failures, opened.since) == (5, NOON)
    assert opened.waits(NOON + timedelta(minutes=5))


def test_pauses_double_up_to_an_hour() -> None:
    breaker, pauses = failed(5), []
    for _ in range(8):
        assert breaker.until is not None
        now = breaker.until
        breaker = begin_try(breaker, now)
        assert breaker.until is not None
        pauses.append((breaker.until - now).total_seconds() / 60)
    assert pauses == [4, 8, 16, 32, 60, 60, 60, 60]
    assert breaker.since == NOON


@given(st.lists(st.tuples(st.booleans(), SECONDS), max_size=60))
def test_whatever_happens_scheduled_work_never_waits_longer_than_an_hour(
    steps: list[tuple[bool, int]],
) -> None:
    """Steps are the ends of failing work, of schedule and people alike, and how long after the
    last; scheduled work tries whenever it may."""
    breaker, now, failures = CLOSED, NOON, 0
    for is_scheduled, seconds in steps:
        now += timedelta(seconds=seconds)
        if is_scheduled and breaker.waits(now):
            continue
        before = breaker
        if is_scheduled and breaker.is_open:
            breaker = begin_try(breaker, now)
            assert breaker.until is not None
            assert breaker.until > now
        breaker = after_failure(breaker, now)
        failures += 1
        assert breaker.is_open == (failures >= FAILURES_TO_OPEN)
        assert breaker.until is None or breaker.until - now <= LONGEST_PAUSE
        if before.is_open and not is_scheduled:
            assert breaker == before  # a person moves no try of the schedule
        assert breaker.since is not None
        assert breaker.since <= now


@given(st.integers(0, 10**9))
def test_no_number_of_failures_overflows(failures: int) -> None:
    breaker = begin_try(Breaker(FAILURES_TO_OPEN + failures, NOON, NOON), NOON)
    assert breaker.until is not None
    assert breaker.until - NOON <= LONGEST_PAUSE


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefused("host", "refused"),
        Timeout("host"),
        ServerError(502),
        UnexpectedAnswer("x"),
        NotTactical(),
        LoginThrottled(60),
    ],
)
def test_what_the_server_did(error: EgressError | TacticalError) -> None:
    assert is_of_server(error)
    assert find_stop(error) is None


@pytest.mark.parametrize("stop", Stop)
def test_refused_credentials_stop_at_once_and_are_no_failure_of_the_server(stop: Stop) -> None:
    error = REFUSALS[stop]()
    assert find_stop(error) is stop
    assert not is_of_server(error)


def test_a_wrong_code_asks_for_another() -> None:
    assert find_stop(TotpWrong()) is Stop.CODE_NEEDED


@pytest.mark.parametrize(
    "error", [Abandoned(), MissingPermission("can_list_software"), Refused("no"), PortalError("x")]
)
def test_what_is_neither(error: PortalError) -> None:
    assert not is_of_server(error)
    assert find_stop(error) is None
