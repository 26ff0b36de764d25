from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.services.windows.occurrences import (
    Occurrence,
    find_current,
    find_end,
    list_between,
    list_next,
)
from portal.services.windows.terms import (
    Daily,
    MonthlyByDay,
    MonthlyByWeekday,
    Repeats,
    Weekly,
    Window,
    Yearly,
)

pytestmark = pytest.mark.one_database

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
TUESDAY, FRIDAY, SATURDAY = 1, 4, 5
HOUR = 60


def window(
    starts: str,
    minutes: int,
    repeats: Repeats | None = None,
    zone: str = BERLIN,
    ended_at: datetime | None = None,
) -> Window:
    return Window(
        zone=zone,
        starts=datetime.fromisoformat(starts),
        minutes=minutes,
        repeats=repeats,
        ended_at=ended_at,
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts_of(asked: Window, since: str, count: int = 4) -> list[str]:
    """As on UTC's clock."""
    return [f"{found.start:%Y-%m-%d %H:%M}" for found in list_next(asked, utc(since), count)]


WHERE_CLOCKS_CHANGE = [
    # what it shows, zone, start by the wall, minutes; in UTC: from, to
    ("no change", BERLIN, "2026-03-21T22:00", 480, "03-21T21:00", "03-22T05:00"),
    ("7 hours to 06:00", BERLIN, "2026-03-28T22:00", 480, "03-28T21:00", "03-29T04:00"),
    ("9 hours to 06:00", BERLIN, "2026-10-24T22:00", 480, "10-24T20:00", "10-25T05:00"),
    ("7 in New York", NEW_YORK, "2026-03-07T22:00", 480, "03-08T03:00", "03-08T10:00"),
    ("9 in New York", NEW_YORK, "2026-10-31T22:00", 480, "11-01T02:00", "11-01T11:00"),
    ("all of the gap", BERLIN, "2026-03-29T02:00", 60, "03-29T01:00", "03-29T02:00"),
    ("out of the gap", BERLIN, "2026-03-29T02:30", 45, "03-29T01:30", "03-29T02:15"),
    ("into the gap", BERLIN, "2026-03-29T01:00", 90, "03-29T00:00", "03-29T01:30"),
    ("all that is twice", BERLIN, "2026-10-25T02:00", 60, "10-25T00:00", "10-25T02:00"),
    ("the first of two", BERLIN, "2026-10-25T02:15", 30, "10-25T00:15", "10-25T00:45"),
    ("half an hour less", LORD_HOWE, "2026-10-04T01:00", 120, "10-03T14:30", "10-03T16:00"),
    ("half an hour more", LORD_HOWE, "2026-04-05T01:00", 120, "04-04T14:00", "04-04T16:30"),
    ("half an hour's gap", LORD_HOWE, "2026-10-04T02:10", 15, "10-03T15:40", "10-03T15:55"),
]


@pytest.mark.parametrize(
    ("zone", "starts", "minutes", "start", "end"),
    [case[1:] for case in WHERE_CLOCKS_CHANGE],
    ids=[case[0] for case in WHERE_CLOCKS_CHANGE],
)
def test_a_window_keeps_to_the_clock_on_the_wall(
    zone: str, starts: str, minutes: int, start: str, end: str
) -> None:
    asked = window(starts, minutes, zone=zone)
    expected = Occurrence(utc(f"2026-{start}"), utc(f"2026-{end}"))
    assert list_next(asked, expected.start - timedelta(days=3), 5) == [expected]
    moment = timedelta(seconds=1)
    assert find_current(asked, expected.start - moment) is None
    assert find_current(asked, expected.start) == expected
    assert find_current(asked, expected.end - moment) == expected
    assert find_current(asked, expected.end) is None


SATURDAYS = Weekly(weekdays=(SATURDAY,), interval=2)
SECOND_TUESDAY = MonthlyByWeekday(nth=2, weekday=TUESDAY)
DAY_AFTER_IT = MonthlyByWeekday(nth=2, weekday=TUESDAY, days_after=1)
AFTER_LAST_FRIDAY = MonthlyByWeekday(nth=-1, weekday=FRIDAY, days_after=1)
AGAIN_AND_AGAIN = [
    # what it shows, the first day, how it comes again, since; days of the next ones
    ("daily", "2026-11-28", Daily(), "2026-11-30", "11-30 12-01 12-02"),
    ("every third day", "2026-11-28", Daily(interval=3), "2027-11-01", "11-02 11-05 11-08"),
    ("on two days", "2026-11-28", Weekly(weekdays=(5, 1)), "2026-11-27", "11-28 12-01 12-05"),
    ("every second week", "2026-11-28", SATURDAYS, "2028-01-03", "01-08 01-22 02-05"),
    ("second Tuesday", "2026-11-28", SECOND_TUESDAY, "2026-11-01", "12-08 01-12 02-09"),
    ("the day after it", "2026-11-28", DAY_AFTER_IT, "2026-11-01", "12-09 01-13 02-10"),
    ("into the next month", "2026-07-31", AFTER_LAST_FRIDAY, "2026-07-31", "08-01 08-29 09-26"),
    ("on the first day", "2026-08-01", AFTER_LAST_FRIDAY, "2026-07-01", "08-01 08-29 09-26"),
    ("the month's last", "2026-11-28", MonthlyByDay(day=-1), "2028-01-05", "01-31 02-29 03-31"),
    ("the 31st", "2026-11-28", MonthlyByDay(day=31), "2026-12-01", "12-31 01-31 03-31"),
    ("quarters", "2026-11-28", MonthlyByDay(day=5, interval=3), "2027-12-01", "02-05 05-05 08-05"),
    ("until", "2026-11-28", Daily(until=date(2026, 11, 29)), "2026-11-01", "11-28 11-29"),
    ("once", "2026-11-28", None, "2026-11-01", "11-28"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "repeats", "since", "days"),
    [case[1:] for case in AGAIN_AND_AGAIN],
    ids=[case[0] for case in AGAIN_AND_AGAIN],
)
def test_a_window_comes_again(day: str, repeats: Repeats | None, since: str, days: str) -> None:
    asked = window(f"{day}T22:00", 2 * HOUR, repeats)
    found = list_next(asked, utc(f"{since}T00:00"), 3)
    assert " ".join(f"{one.start:%m-%d}" for one in found) == days
    assert {f"{one.start:%H}" for one in found} <= {"20", "21"}
    """22:00 in Berlin all year."""


def test_a_leap_day_comes_in_leap_years() -> None:
    asked = window("2024-02-29T12:00", HOUR, Yearly())
    assert starts_of(asked, "2024-03-10T00:00", 2) == ["2028-02-29 11:00", "2032-02-29 11:00"]


def test_a_window_that_began_yesterday_is_in_force_after_midnight() -> None:
    asked = window("2020-01-04T22:00", 8 * HOUR, Weekly(weekdays=(SATURDAY,)))
    in_winter = Occurrence(utc("2026-11-28T21:00"), utc("2026-11-29T05:00"))
    assert find_current(asked, utc("2026-11-29T04:59")) == in_winter
    assert find_current(asked, utc("2026-11-29T05:00")) is None
    assert find_current(asked, utc("2026-10-25T04:59")) is not None  # the ninth hour
    assert find_current(asked, utc("2026-03-29T04:01")) is None  # after the seventh


def test_the_first_coming_of_an_hour_is_in_force_while_the_wall_shows_less_again() -> None:
    asked = window("2026-10-25T02:50", 30)
    assert find_current(asked, utc("2026-10-25T01:10")) is not None  # 02:10, the second time


def test_a_person_ends_one_of_many() -> None:
    ended = utc("2026-11-28T21:30")
    asked = window("2026-11-27T22:00", 2 * HOUR, Daily(), ended_at=ended)
    found = list_between(asked, utc("2026-11-27T00:00"), utc("2026-11-29T23:00"))
    assert [one.end for one in found] == [utc("2026-11-27T23:00"), ended, utc("2026-11-29T23:00")]


def test_the_end_for_good() -> None:
    assert find_end(window("2026-11-28T22:00", HOUR)) == utc("2026-11-28T22:00")
    assert find_end(window("2026-11-28T22:00", HOUR, Daily())) is None
    until = Daily(until=date(2026, 12, 1))
    assert find_end(window("2026-11-28T22:00", HOUR, until)) == utc("2026-12-01T22:00")
    never = MonthlyByDay(day=31, interval=12)
    assert list_next(window("2026-02-01T22:00", HOUR, never), utc("2026-01-01T00:00"), 1) == []


def test_what_lies_in_a_time_overlaps_it() -> None:
    asked = window("2026-11-01T22:00", 4 * HOUR, Daily())
    found = list_between(asked, utc("2026-11-11T00:00"), utc("2026-11-11T21:00"))
    assert [f"{one.start:%d}" for one in found] == ["10"]
