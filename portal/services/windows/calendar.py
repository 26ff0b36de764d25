"""The windows of the coming weeks, day by day, by the clocks of one zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.services.windows.occurrences import Occurrence, list_between
from portal.services.windows.terms import Window

WEEKS = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A window on a day: `times` as `22:00 to 24:00`, in the calendar's zone."""

    window: Window
    occurrence: Occurrence
    times: str


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    is_today: bool
    is_over: bool
    entries: list[Entry]


def list_weeks(windows: Iterable[Window], now: datetime, zone: str) -> list[list[Day]]:
    """From the Monday of this week on, seven days each."""
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    monday = today - today.weekday() * _DAY
    since = _midnight(monday, place)
    until = _midnight(monday + 7 * WEEKS * _DAY, place)
    found = [(w, one) for w in windows for one in list_between(w, since, until)]
    found.sort(key=lambda each: each[1].start)
    days = [_make_day(monday + number * _DAY, today, found, place) for number in range(7 * WEEKS)]
    return [days[first : first + 7] for first in range(0, len(days), 7)]


def _make_day(
    day: date, today: date, found: list[tuple[Window, Occurrence]], place: ZoneInfo
) -> Day:
    begin, end = _midnight(day, place), _midnight(day + _DAY, place)
    entries = [
        Entry(window, one, _describe(one, begin, end, place))
        for window, one in found
        if one.start < end and one.end > begin
    ]
    return Day(day, day == today, day < today, entries)


def _describe(one: Occurrence, begin: datetime, end: datetime, place: ZoneInfo) -> str:
    if one.start <= begin and one.end >= end:
        return "all day"
    start = "00:00" if one.start < begin else f"{one.start.astimezone(place):%H:%M}"
    until = "24:00" if one.end >= end else f"{one.end.astimezone(place):%H:%M}"
    return f"{start} to {until}"


def _midnight(day: date, place: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, place).astimezone(UTC)
