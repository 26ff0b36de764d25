"""A maintenance window as a form or a command says it, read and checked field by field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import available_timezones

from portal.errors import InvalidInput
from portal.services.text import clean_line
from portal.services.windows.occurrences import list_next
from portal.services.windows.terms import (
    MOST_MINUTES,
    Daily,
    MonthlyByDay,
    MonthlyByWeekday,
    Repeats,
    Scope,
    Weekly,
    Window,
    Yearly,
)

ONCE = "once"
EVERY = {
    ONCE: "Once",
    "day": "Every day",
    "week": "Every week, on some days",
    "month": "Every month, on a day such as the 15th",
    "month-weekday": "Every month, on a weekday such as the second Tuesday",
    "year": "Every year",
}
YEARS = (2000, 2099)
LONGEST_SERIES = timedelta(days=3660)
LOOKED_AT = 24
"""Occurrences that are compared with the one before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDraft:
    """As it was typed. The day of the week or the month is blank where the first start says it."""

    name: str
    zone: str
    starts: str
    """`2026-11-28T22:00`"""
    ends: str
    """Of the first occurrence."""
    scope: Scope
    every: str = ONCE
    interval: str = ""
    weekdays: tuple[str, ...] = ()
    day: str = ""
    nth: str = ""
    weekday: str = ""
    days_after: str = ""
    until: str = ""


def read_draft(draft: WindowDraft) -> Window:
    """Raises InvalidInput that names the field at fault."""
    name = clean_line(draft.name, "name", "a name for the window")
    if draft.zone not in list_zones():
        raise InvalidInput("Choose a time zone from the list, such as Europe/Berlin.", field="zone")
    starts = _read_moment(draft.starts, "starts", "the window begins")
    ends = _read_moment(draft.ends, "ends", "the window ends")
    window = Window(
        name=name,
        zone=draft.zone,
        starts=starts,
        minutes=_measure(starts, ends),
        repeats=_read_repeats(draft, starts),
        scope=draft.scope,
    )
    _check_occurrences(window)
    return window


@cache
def list_zones() -> list[str]:
    """Names that people know: of places, and UTC."""
    groups = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe")
    known = (*groups, "Indian", "Pacific")
    places = [name for name in available_timezones() if name.partition("/")[0] in known]
    return ["UTC", *sorted(places)]


def _read_moment(text: str, field: str, what: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo or not YEARS[0] <= moment.year <= YEARS[1]:
        raise InvalidInput(
            f"Enter the day and time when {what}, such as 2026-11-28T22:00.", field=field
        )
    return moment.replace(second=0, microsecond=0)


def _measure(starts: datetime, ends: datetime) -> int:
    minutes = (ends - starts) // timedelta(minutes=1)
    if minutes < 1:
        raise InvalidInput("Choose an end that is after the start.", field="ends")
    if minutes > MOST_MINUTES:
        raise InvalidInput("A window may be up to 31 days long.", field="ends")
    return minutes


def _read_repeats(draft: WindowDraft, starts: datetime) -> Repeats | None:
    if draft.every not in EVERY:
        raise InvalidInput("Choose how often the window comes again.", field="every")
    if draft.every == ONCE:
        return None
    interval = _read_number(draft.interval, "interval", 1, 1, 52)
    until = _read_until(draft.until, starts)
    if draft.every == "day":
        return Daily(interval=interval, until=until)
    if draft.every == "week":
        texts = draft.weekdays or (str(starts.weekday()),)
        days = {_read_number(text, "weekdays", 0, 0, 6) for text in texts}
        return Weekly(interval=interval, until=until, weekdays=tuple(sorted(days)))
    if draft.every == "month":
        day = _read_number(draft.day, "day", starts.day, -1, 31)
        if day == 0:
            raise InvalidInput("Choose a day of the month.", field="day")
        return MonthlyByDay(interval=interval, until=until, day=day)
    if draft.every == "year":
        return Yearly(interval=interval, until=until)
    return MonthlyByWeekday(
        interval=interval,
        until=until,
        nth=_read_nth(draft.nth, starts),
        weekday=_read_number(draft.weekday, "weekday", starts.weekday(), 0, 6),
        days_after=_read_number(draft.days_after, "days_after", 0, 0, 6),
    )


def _read_nth(text: str, starts: datetime) -> int:
    """A fifth one is the last: not every month has a fifth."""
    week = (starts.day + 6) // 7
    nth = _read_number(text, "nth", week if week < 5 else -1, -1, 4)
    if nth == 0:
        raise InvalidInput("Choose which one in the month.", field="nth")
    return nth


def _read_number(text: str, field: str, otherwise: int, least: int, most: int) -> int:
    text = text.strip()
    if not text:
        return otherwise
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 4 and least <= int(text) <= most:
        return int(text)
    raise InvalidInput(f"Enter a whole number from {max(least, 0)} to {most}.", field=field)


def _read_until(text: str, starts: datetime) -> date | None:
    text = text.strip()
    if not text:
        return None
    try:
        until = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("Enter a day, such as 2026-12-31.", field="until") from None
    if until < starts.date():
        raise InvalidInput("Choose a last day that is not before the first.", field="until")
    if until - starts.date() > LONGEST_SERIES:
        raise InvalidInput("Choose a last day within ten years, or leave it blank.", field="until")
    return until


def _check_occurrences(window: Window) -> None:
    """That there is one, and that none begins while the one before it is still in force."""
    since = window.starts.replace(tzinfo=UTC) - timedelta(days=2)
    found = list_next(window, since, LOOKED_AT)
    if not found:
        raise InvalidInput(
            "The window would never be in force: no day from its first start to its last day "
            "is one on which it comes.",
            field="every",
        )
    if any(later.start < earlier.end for earlier, later in pairwise(found)):
        raise InvalidInput(
            "The window would begin again before it has ended. Choose an earlier end, or let it "
            "come less often.",
            field="ends",
        )
