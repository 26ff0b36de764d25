from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.errors import InvalidInput
from portal.services.windows.covering import find_covering, list_in_force
from portal.services.windows.terms import (
    Daily,
    MonthlyByWeekday,
    Scope,
    Weekly,
    Window,
    as_plain,
    read_repeats,
    read_scope,
)

pytestmark = pytest.mark.one_database

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Server:
    client_id: int | None = 7
    organization_id: str | None = "3"
    site_id: str | None = "21"
    asset_id: int | None = 100
    kind: str = "check"


def window(scope: Scope, window_id: int = 1, minutes: int = 60) -> Window:
    starts = datetime(2026, 11, 28, 11, 30)
    return Window(id=window_id, zone="UTC", starts=starts, minutes=minutes, scope=scope)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(), True),
        (Scope(clients=(7,)), True),
        (Scope(clients=(8,)), False),
        (Scope(organizations=("3",)), True),
        (Scope(sites=("22", "21")), True),
        (Scope(assets=(100,)), True),
        (Scope(clients=(8,), assets=(100,)), True),  # any of the places
        (Scope(kinds=("check", "task")), True),
        (Scope(kinds=("availability",)), False),
        (Scope(clients=(7,), kinds=("availability",)), False),  # but in each of the two respects
    ],
)
def test_a_scope_says_which_alerts(scope: Scope, covered: bool) -> None:
    assert bool(find_covering(list_in_force([window(scope)], NOON), Server())) is covered


def test_what_is_unknown_is_in_no_scope_that_names_one() -> None:
    nobodys = Server(client_id=None, organization_id=None, site_id=None, asset_id=None)
    named = Scope(clients=(7,), organizations=("3",), sites=("21",), assets=(100,))
    assert find_covering(list_in_force([window(named)], NOON), nobodys) is None
    assert find_covering(list_in_force([window(Scope())], NOON), nobodys) is not None


def test_of_several_the_one_that_ends_last_keeps_it() -> None:
    windows = [window(Scope(), 1), window(Scope(clients=(7,)), 2, 90), window(Scope(), 3, 90)]
    found = find_covering(list_in_force(windows, NOON), Server())
    assert found is not None
    assert (found.window.id, found.end) == (2, NOON + timedelta(hours=1))


def test_terms_come_back_from_the_column_as_they_went_in() -> None:
    for repeats in (
        None,
        Daily(interval=2),
        Weekly(weekdays=(1, 5)),
        MonthlyByWeekday(nth=-1, weekday=0, days_after=1),
    ):
        assert read_repeats(as_plain(repeats)) == repeats
    scope = Scope(clients=(7,), kinds=("check",))
    assert as_plain(scope) == {"clients": [7], "kinds": ["check"]}
    assert read_scope(as_plain(scope)) == scope


@pytest.mark.parametrize(
    "plain",
    [
        {"every": "second"},
        {"every": "day", "interval": 0},
        {"every": "day", "rule": "FREQ=DAILY"},
        {"every": "week", "weekdays": []},
        {"every": "week", "weekdays": [7]},
        {"every": "month", "day": 0},
        {"every": "month", "day": 32},
        {"every": "month-weekday", "nth": 9, "weekday": 1},
    ],
)
def test_nothing_but_checked_fields_becomes_a_rule(plain: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="maintenance window"):
        read_repeats(plain)
