"""Past days and months, by this machine's local time as whatever is counted by days, and how far
back the history of assets reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from portal.clock import begin_of, day_of, utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.models import AssetChange
from portal.scope import beyond_clients

_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar."""

    year: int
    number: int

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def start(self) -> datetime:
        return begin_of(self.first_day)

    @property
    def end(self) -> datetime:
        """The first moment of the next one."""
        return self.next.start

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> Month:
        return Month.of(self.first_day - timedelta(days=1))

    @property
    def name(self) -> str:
        return f"{self.first_day:%B %Y}"

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def read_month(text: str) -> Month:
    """`2026-10`. Raises InvalidInput, also for one that is not over or begun."""
    found = _MONTH.fullmatch(text.strip())
    if found is None or not 1 <= int(found[2]) <= 12 or not 1 < int(found[1]) < 9999:
        raise InvalidInput("Enter a month as year and month, such as 2026-10.", field="month")
    month = Month(int(found[1]), int(found[2]))
    if month.first_day > day_of(utc_now()):
        raise InvalidInput(f"{month.name} has not begun yet.", field="month")
    begin = find_history_start()
    if begin is None or month.last_day < day_of(begin):
        raise InvalidInput(_explain_reach(begin), field="month")
    return month


def list_months() -> list[Month]:
    """All that the history tells of, the newest first."""
    begin = find_history_start()
    months: list[Month] = []
    month = Month.of(day_of(utc_now()))
    while begin is not None and month.end > begin:
        months.append(month)
        month = month.previous
    return months


def read_day(text: str, begin: datetime | None) -> date:
    """`2026-10-31`, of which lists can be rebuilt. Raises InvalidInput.
    `begin`: of the history."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = None
    if day is None or len(text.strip()) != 10:
        raise InvalidInput("Enter a day as year, month and day, such as 2026-10-31.", field="as_of")
    if day > day_of(utc_now()):
        raise InvalidInput(f"{say_day(day)} is still to come.", field="as_of")
    if begin is None or day < day_of(begin):
        raise InvalidInput(_explain_reach(begin), field="as_of")
    return day


def end_of(day: date) -> datetime:
    """The first moment of the next one."""
    return begin_of(day + timedelta(days=1))


def say_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def is_told(day: date) -> bool:
    """Whether the history of assets reaches the end of that day."""
    begin = find_history_start()
    return begin is not None and begin < end_of(day)


def find_history_start() -> datetime | None:
    """When the oldest change that is kept was noted; None while there is none."""
    oldest = select(AssetChange.at).order_by(AssetChange.id).limit(1)
    with beyond_clients():
        return db.session.scalar(oldest)


def _explain_reach(begin: datetime | None) -> str:
    if begin is None:
        return "There is no history of assets yet. It begins with the first sync of devices."
    return (
        f"The history of assets reaches back to {say_day(day_of(begin))}. Choose that day or one "
        "after it."
    )
