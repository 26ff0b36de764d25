"""The word for an agent, at and around the two thresholds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tactical_simulator.fleet.agent import Agent
from tactical_simulator.fleet.status import shown_user, status_of

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def agent(
    age: float | None, offline: int = 4, overdue: int = 30, user: str | None = "None"
) -> Agent:
    seen = None if age is None else NOW - timedelta(seconds=age)
    return Agent(
        1, "x" * 40, "PC", 1, "windows", "amd64", "server", last_seen=seen,
        offline_time=offline, overdue_time=overdue, logged_in_username=user,
        last_logged_in_user="anna",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("age", "offline", "overdue", "status"),
    [
        (None, 4, 30, "offline"),
        (-600, 4, 30, "online"),
        (0, 4, 30, "online"),
        (240, 4, 30, "online"),
        (240.001, 4, 30, "offline"),
        (1799.9, 4, 30, "offline"),
        (1800, 4, 30, "online"),  # neither bound holds
        (1800.1, 4, 30, "overdue"),
        (240, 4, 0, "online"),
        (241, 4, 0, "overdue"),
        (100, 10, 1, "online"),
        (601, 10, 1, "overdue"),
    ],
)
def test_status(age: float | None, offline: int, overdue: int, status: str) -> None:
    assert status_of(agent(age, offline, overdue), NOW) == status


@pytest.mark.parametrize(
    ("user", "status", "shown"),
    [
        ("tom", "online", ("tom", False)),
        ("tom", "overdue", ("tom", False)),
        ("None", "online", ("anna", True)),
        ("None", "offline", ("-", False)),
        (None, "online", (None, False)),
    ],
)
def test_shown_user(user: str | None, status: str, shown: tuple[str | None, bool]) -> None:
    assert shown_user(agent(0, user=user), status) == shown
