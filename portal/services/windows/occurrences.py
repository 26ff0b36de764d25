"""When a maintenance window is in force. Pure: it knows neither Flask nor the database.

A window is expanded by the clock on the wall, without a zone; then the zone is given to both ends,
and all comparing is done in UTC. What follows where clocks change:

- From 22:00 to 06:00 ends at 06:00: after 7 hours in the night in which an hour is left out, after
  9 in the one in which an hour comes twice.
- A start that does not occur is moved on by what is left out, and so is its end: 02:30 to 03:15
  becomes 03:30 to 04:15. An end that does not occur is moved on alone.
- Of a time that comes twice, the first one is meant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from portal.services.windows.terms import (
    Daily,
    MonthlyByDay,
    MonthlyByWeekday,
    Repeats,
    Weekly,
    Window,
)

_CLOCK_CHANGE = timedelta(hours=26)
"""More than any clock was ever put forward or back, which was by a day."""


class Occurrence(NamedTuple):
    """Both in UTC; the end itself is not part of it."""

    start: datetime
    end: datetime


def find_current(window: Window, now: datetime) -> Occurrence | None:
    """The one in force at that moment; of several, the one that ends last."""
    current = list_between(window, now, now + timedelta(microseconds=1))
    return max(current, key=lambda found: found.end, default=None)


def list_between(window: Window, since: datetime, until: datetime) -> list[Occurrence]:
    """Those of which some part lies in that time, in order."""
    return list(takewhile(lambda found: found.start < until, iterate(window, since)))


def list_next(window: Window, since: datetime, count: int) -> list[Occurrence]:
    """The first `count` that end after that moment; fewer where there are fewer."""
    return list(islice(iterate(window, since), count))


def find_end(window: Window) -> datetime | None:
    """When it is over for good; None where it comes again without an end.

    Of one that never occurs: its first moment.
    """
    if window.repeats is not None and window.repeats.until is None:
        return None
    beginning = _to_utc(window.starts, ZoneInfo(window.zone)) - _CLOCK_CHANGE
    last = deque(iterate(window, beginning), maxlen=1)
    return last[0].end if last else beginning + _CLOCK_CHANGE


def iterate(window: Window, since: datetime) -> Iterator[Occurrence]:
    """Those that end after that moment, in order, perhaps without an end."""
    zone = ZoneInfo(window.zone)
    by_the_wall = since.astimezone(zone).replace(tzinfo=None)
    earliest = by_the_wall - timedelta(minutes=window.minutes) - _CLOCK_CHANGE
    for start in _list_starts(window, max(earliest, window.starts)):
        found = _cut(_place(start, window.minutes, zone), window.ended_at)
        if found.end > since and found.end > found.start:
            yield found


def _list_starts(window: Window, earliest: datetime) -> Iterator[datetime]:
    """Naive ones from `earliest` on."""
    if window.repeats is None:
        return iter([window.starts] if window.starts >= earliest else [])
    repeats = window.repeats
    last = datetime.combine(repeats.until, time.max) if repeats.until else datetime.max
    after = timedelta(days=getattr(repeats, "days_after", 0))
    starts = (start + after for start in _expand(repeats, window.starts, earliest - after))
    return takewhile(lambda start: start <= last, (s for s in starts if s >= earliest))


def _expand(repeats: Repeats, starts: datetime, earliest: datetime) -> rrule:
    """From checked fields only, and from shortly before `earliest`: years of days that are over
    would take longer than all the rest."""
    every = repeats.interval
    if isinstance(repeats, Daily):
        begin = starts + timedelta(days=_skip((earliest - starts).days, every))
        return rrule(DAILY, dtstart=begin, interval=every)
    if isinstance(repeats, Weekly):
        begin = starts + timedelta(weeks=_skip((earliest - starts).days // 7, every))
        return rrule(WEEKLY, dtstart=begin, interval=every, byweekday=repeats.weekdays)
    if isinstance(repeats, MonthlyByDay):
        begin = _find_month(starts, earliest, every)
        return rrule(MONTHLY, dtstart=begin, interval=every, bymonthday=repeats.day)
    if isinstance(repeats, MonthlyByWeekday):
        begin = _find_month(starts, earliest, every)
        day = weekday(repeats.weekday, repeats.nth)
        return rrule(MONTHLY, dtstart=begin, interval=every, byweekday=day)
    month, day_of_month = starts.month, starts.day
    return rrule(YEARLY, starts, every, bymonth=month, bymonthday=day_of_month)


def _skip(passed: int, every: int) -> int:
    """Whole turns of those that have passed, but for the last two."""
    return max(0, passed // every - 2) * every


def _find_month(starts: datetime, earliest: datetime, every: int) -> datetime:
    """The first day of a month in which it is due, one turn or more before `earliest`: the day
    after the last Friday may be the first of the next month."""
    passed = (earliest.year - starts.year) * 12 + earliest.month - starts.month
    turns = max(-1, passed // every - 2)
    months = starts.year * 12 + starts.month - 1 + turns * every
    return starts.replace(year=months // 12, month=months % 12 + 1, day=1)


def _place(start: datetime, minutes: int, zone: ZoneInfo) -> Occurrence:
    begin = _to_utc(start, zone)
    left_out = begin.astimezone(zone).replace(tzinfo=None) - start
    return Occurrence(begin, _to_utc(start + timedelta(minutes=minutes) + left_out, zone))


def _to_utc(by_the_wall: datetime, zone: ZoneInfo) -> datetime:
    """A time that does not occur is moved on, since it is read by the clock as it was before."""
    return by_the_wall.replace(tzinfo=zone).astimezone(UTC)


def _cut(found: Occurrence, ended_at: datetime | None) -> Occurrence:
    if ended_at is None or not found.start <= ended_at < found.end:
        return found
    return found._replace(end=ended_at)
