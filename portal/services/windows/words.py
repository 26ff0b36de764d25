"""Maintenance windows in words: when they come, as people say it."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from portal.services.windows.occurrences import Occurrence
from portal.services.windows.terms import (
    LAST,
    WEEKDAYS,
    Daily,
    MonthlyByDay,
    MonthlyByWeekday,
    Repeats,
    Weekly,
    Window,
)
from portal.wording import join_words, plural

NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", LAST: "last"}
AFTER = {
    0: "on that day",
    1: "on the day after it",
    **{days: f"{days} days after it" for days in range(2, 7)},
}


def describe_repeats(window: Window) -> str:
    """`Every week on Tuesday and Saturday, until 31 Dec 2026`; `Once`."""
    repeats = window.repeats
    if repeats is None:
        return "Once"
    until = f", until {name_day(repeats.until)}" if repeats.until else ""
    return f"{_describe(repeats, window.starts)}{until}"


def _describe(repeats: Repeats, starts: datetime) -> str:
    if isinstance(repeats, Daily):
        return _every(repeats.interval, "day")
    if isinstance(repeats, Weekly):
        days = join_words([WEEKDAYS[day] for day in repeats.weekdays])
        return f"{_every(repeats.interval, 'week')} on {days}"
    if isinstance(repeats, MonthlyByDay):
        day = "the last day" if repeats.day == LAST else f"day {repeats.day}"
        return f"{_every(repeats.interval, 'month')} on {day}"
    if isinstance(repeats, MonthlyByWeekday):
        weekday = f"the {NTH[repeats.nth]} {WEEKDAYS[repeats.weekday]}"
        return f"{_every(repeats.interval, 'month')} {_after(repeats.days_after)} {weekday}"
    return f"{_every(repeats.interval, 'year')} on {starts.day} {starts:%b}"


def _after(days: int) -> str:
    if days < 2:
        return "on the day after" if days else "on"
    return f"{days} days after"


def _every(interval: int, unit: str) -> str:
    return f"Every {unit}" if interval == 1 else f"Every {plural(interval, unit)}"


def describe_times(found: Occurrence, zone: str) -> str:
    """`Sat 28 Nov 2026, 22:00 to Sun 29 Nov 2026, 06:00`, by the clocks in the zone."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in found)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a} {name_moment(end)}"
    return f"{start:%a} {name_moment(start)} to {until}"


def describe_length(minutes: int) -> str:
    """`8 h`, `1 h 30 min`, `2 d`"""
    days, rest = divmod(minutes, 24 * 60)
    hours, rest = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (rest, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def name_moment(moment: datetime) -> str:
    return f"{name_day(moment)}, {moment:%H:%M}"


def name_day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
