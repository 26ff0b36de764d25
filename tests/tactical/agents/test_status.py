"""Tactical's own rule of agent status, with what is odd in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.tactical.status import AgentStatus, status_by_age

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = 1 / 60


@pytest.mark.parametrize(
    ("age_minutes", "offline", "overdue", "expected"),
    [
        (0, 4, 30, "online"),
        (-60, 4, 30, "online"),  # a clock that is ahead
        (4, 4, 30, "online"),
        (4 + SECOND, 4, 30, "offline"),
        (30 - SECOND, 4, 30, "offline"),
        (30, 4, 30, "online"),  # exactly there neither comparison holds
        (30 + SECOND, 4, 30, "overdue"),
        (10_000, 4, 30, "overdue"),
        # no overdue limit: overdue at once after the offline limit
        (4, 4, 0, "online"),
        (4 + SECOND, 4, 0, "overdue"),
        # an overdue limit below the offline one: online until the latter
        (7, 10, 5, "online"),
        (10, 10, 5, "online"),
        (10 + SECOND, 10, 5, "overdue"),
        (0, 0, 0, "online"),
        (SECOND, 0, 0, "overdue"),
        (SECOND, 0, 30, "offline"),
    ],
)
def test_status_by_age_and_limits(
    age_minutes: float, offline: int, overdue: int, expected: str
) -> None:
    last_seen = NOW - timedelta(minutes=age_minutes)

    assert status_by_age(last_seen, offline, overdue, NOW) == expected


def test_an_agent_never_seen_is_offline() -> None:
    assert status_by_age(None, 4, 30, NOW) is AgentStatus.OFFLINE


@pytest.mark.parametrize("odd", [None, "4", -1, True, 4.5, 10**12])
def test_limits_that_are_none_count_as_tactical_s_defaults(odd: Any) -> None:
    for minutes, expected in ((4, "online"), (5, "offline"), (31, "overdue")):
        assert status_by_age(NOW - timedelta(minutes=minutes), odd, odd, NOW) == expected


def test_a_difference_of_clocks_does_not_change_the_answer() -> None:
    """`now` is Tactical's moment: the same age at any hour, across a change of the clocks."""
    for hours in range(0, 24 * 365, 1000):
        now = NOW + timedelta(hours=hours)
        assert status_by_age(now - timedelta(minutes=10), 4, 30, now) == "offline"
