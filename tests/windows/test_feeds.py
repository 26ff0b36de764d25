"""Calendar links: what they show, to whom, and for how long."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select

from portal.db import db, transaction
from portal.models import CalendarFeed, Membership
from portal.scope import tenant_scope
from tests.web.world import Place, make_place


def make_link(admin: FlaskClient, acme: Place) -> str:
    page = admin.post(acme.url("maintenance/links"), data={"name": "Team"}).get_data(as_text=True)
    found = re.search(r'id="calendar-link">http://[^/]+(/calendar/[^<]+\.ics)<', page)
    assert found
    return found[1]


def test_a_calendar_shows_the_windows_of_its_tenant_until_it_is_revoked(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    make_place(app, "other")
    daily = {"starts": "2020-10-01T22:00", "ends": "2020-10-02T06:00", "every": "day"}
    form = {"name": "Night; all, of it", "zone": "Europe/Berlin", "place": "client", **daily}
    admin.post(acme.url("maintenance/new"), data={**form, "client_name": "Acme Client"})
    link, program = make_link(admin, acme), app.test_client()

    answer = program.get(link)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    events: list[Any] = list(Calendar.from_ical(answer.data).walk("VEVENT"))
    names = {str(event["summary"]) for event in events}
    assert names == {"Maintenance: acme patch night", "Maintenance: Night; all, of it"}
    assert len(events) > 180  # each night by itself
    assert len({event["uid"] for event in events}) == len(events)
    by_the_wall = {
        event.start.strftime("%H:%M %Z") for event in events if "Night" in event["summary"]
    }
    assert by_the_wall <= {"20:00 UTC", "21:00 UTC"}
    assert "client Acme Client" in events[-1]["description"]
    assert "/t/acme/maintenance/" in events[-1]["url"]

    listed = admin.get(acme.url("maintenance/links")).get_data(as_text=True)
    assert link not in listed
    with app.app_context(), tenant_scope(acme.id):
        feed = db.session.scalars(select(CalendarFeed).where(CalendarFeed.name == "Team")).one()
        assert feed.last_used_at is not None
    admin.post(acme.url(f"maintenance/links/{feed.id}/revoke"))
    assert program.get(link).status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize("lost", ["place", "sight"])
def test_a_link_opens_no_more_than_its_person_may_see(
    app: Flask, admin: FlaskClient, acme: Place, lost: str
) -> None:
    link, program = make_link(admin, acme), app.test_client()
    assert program.get(link).status_code == 200
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        owner = select(CalendarFeed.user_id).where(CalendarFeed.name == "Team")
        place = session.scalars(select(Membership).where(Membership.user_id.in_(owner))).one()
        if lost == "place":
            session.delete(place)
        else:
            place.role, place.limited = "technician", True
    assert program.get(link).status_code == 404
    assert program.get("/calendar/nobodys.ics").status_code == 404
