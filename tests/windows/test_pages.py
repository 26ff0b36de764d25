"""The pages of maintenance windows, and what is kept of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import AlertHandling, MaintenanceWindow
from portal.models.alerts.handling import HandlingState
from portal.scope import tenant_scope
from portal.services.handling.deciding import handle_due
from portal.services.windows.listing import list_ahead
from portal.services.windows.loading import load_windows
from portal.services.windows.terms import MonthlyByWeekday, Scope
from tests.web.lists.test_undo import do, press
from tests.web.world import Place

FORM = {
    **{"name": "Patch night", "zone": "Europe/Berlin", "place": "everything"},
    **{"starts": "2090-03-01T22:00", "ends": "2090-03-02T06:00"},
}


def newest(app: Flask, place: Place) -> MaintenanceWindow:
    with app.app_context(), tenant_scope(place.id):
        query = select(MaintenanceWindow).order_by(MaintenanceWindow.id.desc()).limit(1)
        return db.session.scalars(query).one()


def hold(app: Flask, place: Place, state: HandlingState = HandlingState.HELD) -> int:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        later = utc_now() + timedelta(hours=1)
        handling = AlertHandling(
            **{"alert_id": place.alert, "occurrence": 1, "state": state, "due_at": later},
            **{"began_at": utc_now(), "window_id": place.window, "window_name": "patch night"},
        )
        session.add(handling)
        session.flush()
        return handling.id


def is_due(app: Flask, place: Place, handling_id: int) -> bool:
    with app.app_context(), tenant_scope(place.id):
        handling = db.session.get_one(AlertHandling, handling_id)
        return handling.due_at is not None and handling.due_at <= utc_now()


@pytest.mark.one_database
def test_a_repeated_window_is_previewed_then_kept(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    typed: dict[str, Any] = {
        **FORM,
        "every": "month-weekday",
        "nth": "2",
        "weekday": "1",
        "days_after": "1",
    }
    typed |= {"place": "client", "client_name": "Acme Client", "kinds": ["check", "task"]}
    url = acme.url("maintenance/new")

    preview = admin.post(url, data={**typed, "do": "preview"}).get_data(as_text=True)
    assert re.findall(r"(\w+ \d+ \w+ 2090), 22:00 to", preview) == [
        *("Wed 15 Mar 2090", "Wed 12 Apr 2090", "Wed 10 May 2090"),
        *("Wed 14 Jun 2090", "Wed 12 Jul 2090"),
    ]
    assert newest(app, acme).id == acme.window  # nothing is saved yet

    saved = admin.post(url, data=typed, follow_redirects=True)
    text = saved.get_data(as_text=True)
    assert "Every month on the day after the second Tuesday" in text
    with app.app_context(), tenant_scope(acme.id):
        kept = load_windows(db.session(), utc_now())[-1]
    assert kept.repeats == MonthlyByWeekday(nth=2, weekday=1, days_after=1)
    assert kept.scope == Scope(clients=(acme.client,), kinds=("check", "task"))
    assert kept.minutes == 480


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "Enter a name for the window."),
        ({"zone": "Europe/Atlantis"}, "Choose a time zone from the list"),
        ({"starts": "tomorrow"}, "Enter the day and time when the window begins"),
        ({"ends": "2090-03-01T22:00"}, "Choose an end that is after the start."),
        ({"ends": "2090-05-01T22:00"}, "A window may be up to 31 days long."),
        ({"starts": "2020-03-01T22:00", "ends": "2020-03-01T23:00"}, "would be over already"),
        ({"every": "second"}, "Choose how often the window comes again."),
        ({"every": "day", "interval": "0"}, "Enter a whole number from 1 to 52."),
        ({"every": "week", "weekdays": "9"}, "Enter a whole number from 0 to 6."),
        ({"every": "day", "until": "2089-01-01"}, "a last day that is not before the first"),
        ({"every": "day", "ends": "2090-03-03T23:00"}, "begin again before it has ended"),
        ({"every": "month", "day": "31", "until": "2090-03-20"}, "would never be in force"),
        ({"place": "client", "client_name": "Nobody"}, "Choose the client from the list"),
        ({"place": "assets", "assets": "nowhere-pc"}, "There is no asset named nowhere-pc."),
        ({"place": "site"}, "Choose the site from the list."),
        ({"kinds": "weather"}, "The maintenance window cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_kept_in_the_form(
    app: Flask, admin: FlaskClient, acme: Place, typed: dict[str, Any], said: str
) -> None:
    answer = admin.post(acme.url("maintenance/new"), data={**FORM, **typed})
    text = answer.get_data(as_text=True)
    assert (answer.status_code, said in text) == (422, True)
    assert f'value="{typed.get("ends", FORM["ends"])}"' in text
    assert newest(app, acme).id == acme.window


def test_what_is_kept_fills_the_form(app: Flask, admin: FlaskClient, acme: Place) -> None:
    typed: dict[str, Any] = {**FORM, "every": "week", "weekdays": ["1", "5"], "until": "2090-12-31"}
    typed |= {"place": "assets", "assets": "acme-pc"}
    admin.post(acme.url("maintenance/new"), data=typed)
    made = newest(app, acme)
    page = admin.get(acme.url(f"maintenance/{made.id}/edit")).get_data(as_text=True)
    for shown in ("2090-03-01T22:00", "2090-03-02T06:00", "2090-12-31"):
        assert f'value="{shown}"' in page
    assert re.findall(r'name="weekdays" value="(\d)" checked', page) == ["1", "5"]
    assert re.search(r"<textarea[^>]*>\s*acme-pc", page)
    assert made.over_at == datetime(2090, 12, 31, 5, tzinfo=UTC)  # the one of 30 December


def test_ending_early_looks_at_what_is_kept_back(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    handling = hold(app, acme)
    url = acme.url(f"assets/{acme.asset}")
    assert "Under maintenance until" in admin.get(url).get_data(as_text=True)
    assert "1 kept back now" in admin.get(acme.url(f"maintenance/{acme.window}")).get_data(True)

    done = admin.post(acme.url(f"maintenance/{acme.window}/end"), data={"next": url})
    assert done.location == url
    assert is_due(app, acme, handling)
    with app.app_context(), tenant_scope(acme.id):
        handle_due()
        decided = db.session.get_one(AlertHandling, handling)
        assert (decided.state, decided.window_id) == (HandlingState.SILENT, acme.window)
    kept = admin.get(acme.url(f"maintenance/{acme.window}")).get_data(as_text=True)
    assert "1 stayed silent" in kept
    assert "Under maintenance" not in admin.get(url).get_data(as_text=True)
    again = admin.post(acme.url(f"maintenance/{acme.window}/end"), follow_redirects=True)
    assert "not in force now" in again.get_data(as_text=True)


def test_a_deleted_window_keeps_its_list(app: Flask, admin: FlaskClient, acme: Place) -> None:
    handling = hold(app, acme)
    admin.post(acme.url(f"maintenance/{acme.window}/delete"))
    assert is_due(app, acme, handling)
    page = admin.get(acme.url(f"maintenance/{acme.window}")).get_data(as_text=True)
    assert "Deleted" in page
    assert f'href="{acme.url(f"alerts/{acme.alert}")}"' in page
    with app.app_context(), tenant_scope(acme.id):
        assert load_windows(db.session(), utc_now()) == []
    assert admin.post(acme.url(f"maintenance/{acme.window}/edit"), data=FORM).status_code == 422


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("repeats", {"every": "fortnight"}, "The maintenance window cannot be read: "),
        ("scope", {"planets": [3]}, "The maintenance window cannot be read: "),
        ("zone", "Mars/Olympus", "Its time zone Mars/Olympus is not known."),
        ("starts", "at noon", "Its start at noon is not a date and time."),
    ],
)
def test_a_window_that_cannot_be_read_stops_no_other(
    app: Flask, admin: FlaskClient, acme: Place, column: str, value: Any, said: str
) -> None:
    admin.post(acme.url("maintenance/new"), data=FORM)
    good = newest(app, acme).id
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        setattr(session.get_one(MaintenanceWindow, acme.window), column, value)
    handling = hold(app, acme, HandlingState.UNDECIDED)
    with app.app_context(), tenant_scope(acme.id):
        assert [window.id for window in load_windows(db.session(), utc_now())] == [good]
        with transaction() as session:
            session.get_one(AlertHandling, handling).due_at = utc_now()
        handle_due()
        assert db.session.get_one(AlertHandling, handling).state is not HandlingState.UNDECIDED

    page = f"maintenance/{acme.window}"
    for path in ("maintenance/", page):
        shown = admin.get(acme.url(path)).get_data(as_text=True)
        assert said in shown
        assert "cannot be read" in shown
    calendar = acme.url("maintenance/calendar")
    assert admin.get(calendar).status_code == 200
    ended = admin.post(acme.url(f"{page}/end"), follow_redirects=True)
    assert said in ended.get_data(as_text=True)
    assert admin.get(acme.url(f"{page}/edit")).status_code == 200
    assert admin.post(acme.url(f"{page}/edit"), data=FORM).location == acme.url(page)
    assert said not in admin.get(acme.url("maintenance/")).get_data(as_text=True)


@pytest.mark.one_database
def test_maintenance_begins_by_one_press(app: Flask, admin: FlaskClient, acme: Place) -> None:
    admin.post(acme.url(f"maintenance/{acme.window}/delete"))
    answer = admin.post(acme.url(f"maintenance/now/asset/{acme.asset}"), data={"hours": "2"})
    made = newest(app, acme)
    assert (made.name, made.scope) == ("Maintenance of acme-pc", {"assets": [acme.asset]})
    assert made.over_at is not None
    assert timedelta(minutes=118) < made.over_at - utc_now() <= timedelta(hours=2)
    assert "Maintenance of acme-pc" in admin.get(answer.location).get_data(as_text=True)
    client = admin.get(acme.url(f"clients/{acme.client}")).get_data(as_text=True)
    assert "Under maintenance" not in client

    admin.post(acme.url(f"maintenance/now/client/{acme.client}"), data={"hours": "8"})
    client = admin.get(acme.url(f"clients/{acme.client}")).get_data(as_text=True)
    assert "Under maintenance" in client
    refused = admin.post(
        acme.url(f"maintenance/now/client/{acme.client}"),
        data={"hours": "9000"},
        follow_redirects=True,
    )
    assert "Choose one of these numbers of hours" in refused.get_data(as_text=True)


@pytest.mark.one_database
def test_the_calendar_shows_a_night_on_both_its_days(admin: FlaskClient, acme: Place) -> None:
    monday = utc_now().date() - timedelta(days=utc_now().weekday())
    next_tuesday = monday + timedelta(days=8)
    starts, ends = f"{next_tuesday}T22:00", f"{next_tuesday + timedelta(days=1)}T06:00"
    admin.post(acme.url("maintenance/new"), data={**FORM, "starts": starts, "ends": ends})
    page = admin.get(acme.url("maintenance/calendar?zone=Europe/Berlin")).get_data(as_text=True)
    shown = re.findall(r'Patch night</a> <span class="text-secondary">([^<]+)<', page)
    assert shown == ["22:00 to 24:00", "00:00 to 06:00"]


def test_a_changed_window_says_what_would_have_been_different(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    handling = hold(app, acme, HandlingState.ACTED)
    now = utc_now()
    started, ends = now - timedelta(minutes=5), now + timedelta(hours=1)
    typed = {"name": "acme patch night", "zone": "UTC", "do": "preview", "place": "everything"}
    typed |= {"starts": f"{started:%Y-%m-%dT%H:%M}", "ends": f"{ends:%Y-%m-%dT%H:%M}"}
    edit = acme.url(f"maintenance/{acme.window}/edit")

    same = admin.post(edit, data=typed).get_data(as_text=True)
    assert "Of 1 alert the same ones would have been kept back." in same
    tasks = admin.post(edit, data={**typed, "kinds": "task"}).get_data(as_text=True)
    assert "1 of 1 alert would not have been kept back" in tasks
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(AlertHandling, handling).window_id = None
    another = admin.post(acme.url("maintenance/new"), data=typed).get_data(as_text=True)
    assert "1 of 1 alert would have been kept back" in another
    with app.app_context(), tenant_scope(acme.id):
        kept = db.session.get_one(AlertHandling, handling)
        assert (kept.window_id, kept.state) == (None, HandlingState.ACTED)


@pytest.mark.one_database
def test_those_that_are_ticked_are_deleted_and_brought_back(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    for name in ("One", "Two"):
        admin.post(acme.url("maintenance/new"), data=FORM | {"name": name})
    with app.app_context(), tenant_scope(acme.id):
        coming = [view.row.id for view in list_ahead().coming]
    page = admin.get(acme.url("maintenance/")).text
    assert page.count('form="chosen-windows"') == len(coming) >= 2
    deleted = do(admin, acme, "maintenance/delete", window=coming)
    with app.app_context(), tenant_scope(acme.id):
        assert list_ahead().coming == []
    assert press(admin, deleted) == f"{len(coming)} windows are back."
    with app.app_context(), tenant_scope(acme.id):
        assert [view.row.id for view in list_ahead().coming] == coming
    none = admin.post(acme.url("maintenance/delete"), follow_redirects=True).text
    assert "Select at least one window." in none
