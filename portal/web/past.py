"""What lists that can be shown as of a past day have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import day_of, utc_now
from portal.errors import InvalidInput
from portal.services.past.days import end_of, find_history_start, read_day, say_day
from portal.web.downloads import send_csv
from portal.web.fragments import words


@dataclass(frozen=True, slots=True)
class PastDay:
    day: date

    @property
    def name(self) -> str:
        return say_day(self.day)

    @property
    def end(self) -> datetime:
        return end_of(self.day)


def wanted_day() -> str:
    """What the address says; empty for today's list."""
    return words("as_of")


def read_past_day() -> PastDay:
    """Raises InvalidInput."""
    return PastDay(read_day(wanted_day(), find_history_start()))


def read_bounds() -> tuple[date | None, date]:
    """The first day that lists can be rebuilt of, and the last."""
    begin = find_history_start()
    return None if begin is None else day_of(begin), day_of(utc_now())


def refuse_day(title: str, error: InvalidInput) -> ResponseReturnValue:
    """The page says why there is no list of that day, and asks for another."""
    page = render_template(
        "past/refused.html",
        title=title,
        problem=error.message,
        back=request.path,
    )
    return page, 422


def export_past_day(
    what: str,
    endpoint: str,
    columns: Iterable[str],
    read_rows: Callable[[PastDay], Iterator[dict[str, Any]]],
) -> ResponseReturnValue:
    """The list of that day, streamed. `what` it is of, for the file's name; `endpoint`: today's."""
    try:
        past = read_past_day()
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(url_without_day(endpoint))
    return send_csv(f"{what}-as-of-{past.day}", columns, read_rows(past))


def url_without_day(endpoint: str) -> str:
    """Today's list with the same filters."""
    left = ("as_of", "page")
    others: dict[str, Any] = {n: value for n, value in request.args.items() if n not in left}
    return url_for(endpoint, **others)
