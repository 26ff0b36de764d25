"""What would have been different in the last days with a window as it is in a form.

It is shown and changes nothing: what was kept back before stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import AlertHandling
from portal.services.rules.subjects import load_history
from portal.services.rules.terms import Subject
from portal.services.windows.covering import covers
from portal.services.windows.occurrences import list_between
from portal.services.windows.terms import Window

DAYS = 30
MOST = 5000


@dataclass(frozen=True, slots=True)
class Hindsight:
    """`more`: would have been kept back, and were not; `fewer`: the reverse. The newest first."""

    looked_at: int
    more: list[Subject]
    fewer: list[Subject]


def look_back(window: Window, before: Window | None = None) -> Hindsight:
    """Over the alerts of the last days, at most MOST of them; `before`: the window as it is kept,
    None for a new one.

    What another window kept back is the same with or without this one.
    """
    now = utc_now()
    since = now - timedelta(days=DAYS)
    history = load_history(db.session(), since, MOST)
    handled = _load_handled(since)
    is_now, was_before = _Reach(window, since, now), _Reach(before, since, now)
    more, fewer = [], []
    for subject in history:
        key = (subject.alert_id, subject.occurrence)
        noticed_at, keeper = handled.get(key, (subject.began_at, None))
        would_be, would_have_been = (
            reach.holds(subject, noticed_at) for reach in (is_now, was_before)
        )
        if keeper is None and would_be and not would_have_been:
            more.append(subject)
        elif before and keeper == before.id and would_have_been and not would_be:
            fewer.append(subject)
    return Hindsight(len(history), more, fewer)


class _Reach:
    """What a window covers in that time; nothing, where there is none."""

    def __init__(self, window: Window | None, since: datetime, until: datetime) -> None:
        self.scope = window.scope if window else None
        self.times = list_between(window, since, until) if window else []

    def holds(self, subject: Subject, at: datetime) -> bool:
        if self.scope is None or not covers(self.scope, subject):
            return False
        return any(start <= at < end for start, end in self.times)


def _load_handled(since: datetime) -> dict[tuple[int, int], tuple[datetime, int | None]]:
    """Alert and occurrence, to when the portal noticed it and the window that kept it back."""
    table = AlertHandling
    rows = db.session.execute(
        select(table.alert_id, table.occurrence, table.noticed_at, table.window_id).where(
            table.began_at >= since
        )
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}
