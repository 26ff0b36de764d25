"""The maintenance windows to come as an iCalendar file (RFC 5545).

Each occurrence is an event of its own, in UTC: so every program shows it at the right time, also
where clocks change and where a start does not occur, which no two programs do in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from portal.clock import utc_now
from portal.db import db
from portal.services.windows.listing import WindowView, view_rows
from portal.services.windows.loading import select_ahead
from portal.services.windows.occurrences import Occurrence, list_between
from portal.services.windows.scopes import describe_scope

BEHIND, AHEAD = timedelta(days=7), timedelta(days=180)
MOST_EVENTS = 2000
READ_AGAIN = timedelta(hours=1)


def write_calendar(name: str, host: str, find_url: Callable[[int], str]) -> bytes:
    """Of the scope's tenant. `host` makes the ids of events unlike those of other installs;
    `find_url` gives the address of a window's page by its id."""
    now = utc_now()
    calendar = Calendar()
    calendar.add("prodid", "-//RMM Portal//Maintenance windows//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", READ_AGAIN, parameters={"VALUE": "DURATION"})
    views = view_rows(db.session.scalars(select_ahead(now - BEHIND)))
    found = [
        (view, one) for view in views for one in list_between(view.terms, now - BEHIND, now + AHEAD)
    ]
    found.sort(key=lambda each: each[1].start)
    for view, one in found[:MOST_EVENTS]:
        calendar.add_component(_make_event(view, one, host, find_url(view.row.id)))
    written: bytes = calendar.to_ical()
    return written


def _make_event(view: WindowView, one: Occurrence, host: str, url: str) -> Event:
    event = Event()
    event.add("uid", f"window-{view.row.id}-{_stamp(one.start)}@{host}")
    event.add("dtstamp", view.row.changed_at)
    event.add("last-modified", view.row.changed_at)
    event.add("dtstart", one.start)
    event.add("dtend", one.end)
    event.add("summary", f"Maintenance: {view.row.name}")
    event.add("description", f"Keeps silent: {describe_scope(view.scope)}.\n{url}")
    event.add("url", url)
    event.add("transp", "TRANSPARENT")
    return event


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"
