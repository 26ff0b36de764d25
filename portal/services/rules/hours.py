"""Hours of the week by a clock on the wall. Pure: knows neither Flask nor the database."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from portal.services.rules.terms import Hours
from portal.wording import join_words

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_within(hours: Hours, moment: datetime) -> bool:
    """Whether the hours are meant by which the clock shows this moment."""
    local = moment.astimezone(ZoneInfo(hours.zone))
    clock, today, yesterday = f"{local:%H:%M}", local.weekday(), (local.weekday() - 1) % 7
    if hours.start < hours.end:
        inside = today in hours.days and hours.start <= clock < hours.end
    else:
        begun = today in hours.days and clock >= hours.start
        inside = begun or (yesterday in hours.days and clock < hours.end)
    return inside is not hours.outside


def tell_hours(hours: Hours) -> str:
    """`Monday to Friday, 08:00 to 18:00 (Europe/Berlin)`, with `outside of` before it if so."""
    days = sorted(hours.days)
    told = join_words([DAYS[day] for day in days])
    if len(days) == len(DAYS):
        told = "every day"
    elif len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        told = f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    times = "all day" if hours.start == hours.end == "00:00" else f"{hours.start} to {hours.end}"
    return f"{'outside of ' if hours.outside else ''}{told}, {times} ({hours.zone})"
