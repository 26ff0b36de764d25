"""The current time. Nothing else asks for it, so that a test can stop the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9998, 12, 31)
"""Of those that have a midnight anywhere on earth, and a next day."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso_utc(moment: datetime) -> str:
    """`2026-11-23T05:41:09.120000Z`, whatever zone the moment has."""
    return (
        (moment if moment.tzinfo is UTC else moment.astimezone(UTC))
        .isoformat()
        .replace("+00:00", "Z")
    )


def day_of(moment: datetime) -> date:
    """By this machine's local time, as whatever is counted by days."""
    return moment.astimezone().date()


def begin_of(day: date) -> datetime:
    """Its midnight, by the same."""
    return datetime.combine(day, time.min).astimezone(UTC)
