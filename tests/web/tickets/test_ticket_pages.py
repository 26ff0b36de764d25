"""Where tickets show: on their own pages, with their alerts, on the dashboard."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db, transaction
from portal.models import Alert, Asset, Helpdesk, Ticket, TicketAlert, TicketTask
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus
from portal.scope import tenant_scope
from portal.services.alerts.occurrences import hold_current
from portal.services.tickets import mending
from tests.web.world import Place, make_ticket, make_user, sign_in

pytestmark = pytest.mark.one_database


@pytest.fixture
def alert(app: Flask, acme: Place) -> int:
    """That hangs on the ticket of acme."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        [occurrence] = hold_current(session, [acme.alert])
        handling = occurrence.handling
        session.add(
            TicketAlert(
                ticket_id=acme.ticket,
                handling_id=handling.id,
                alert_id=handling.alert_id,
                occurrence=handling.occurrence,
            )
        )
    return acme.alert


def change(app: Flask, place: Place, **values: Any) -> None:
    """The ticket, and what was to be done to it fails with it."""
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        ticket = session.get_one(Ticket, place.ticket)
        for name, value in values.items():
            setattr(ticket, name, value)
        ids = {"ticket_id": ticket.id, "helpdesk_id": place.helpdesk}
        lost = TaskStatus.UNSURE if ticket.status is TicketStatus.UNSURE else TaskStatus.FAILED
        session.add(TicketTask(**ids, verb=TaskVerb.OPEN, key="acme:open", status=lost))


def change_kind(app: Flask, place: Place, kind: str) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        session.get_one(Helpdesk, place.helpdesk).kind = kind


def test_an_alert_shows_its_ticket_wherever_it_stands(
    admin: FlaskClient, acme: Place, alert: int
) -> None:
    page = admin.get(acme.url(f"alerts/{alert}")).text
    assert "Acme Desk #1042" in page
    assert 'href="https://desk.example/1042"' in page
    assert "Open or link a ticket" not in page
    assert "#1042" in admin.get(acme.url("alerts/")).text
    for path in (f"assets/{acme.asset}", f"clients/{acme.client}"):
        assert "Acme Desk #1042" in admin.get(acme.url(path)).text
    lines = admin.get(acme.url("alerts/export.csv")).text.splitlines()
    assert lines[0].endswith("ticket_ref,ticket_url,ticket_state,snoozed_until,snoozed_by")
    assert lines[1].endswith("1042,https://desk.example/1042,open,,")
    shown = admin.get(acme.url(f"tickets/{acme.ticket}")).text
    assert f'{acme.url(f"clients/{acme.client}")}">Acme Client</a>' in shown
    assert f'{acme.url(f"assets/{acme.asset}")}">acme-pc</a>' in shown
    assert f'href="{acme.url(f"alerts/{alert}")}"' in shown


def test_a_ticket_without_alerts_says_why(admin: FlaskClient, acme: Place) -> None:
    assert "Its alerts were deleted." in admin.get(acme.url(f"tickets/{acme.ticket}")).text


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, {"with"}),
        ({"status": TicketStatus.UNSURE}, {"with", "unsure"}),
        ({"last_error": "Refused."}, {"with", "failing"}),
        ({"status": TicketStatus.FAILED}, {"with", "failing"}),
    ],
)
def test_alerts_are_filtered_by_their_tickets(
    app: Flask,
    admin: FlaskClient,
    acme: Place,
    alert: int,
    values: dict[str, Any],
    found: set[str],
) -> None:
    change(app, acme, **values)
    here = f'href="{acme.url(f"alerts/{alert}")}"'
    words = ("with", "without", "unsure", "failing")
    assert {
        word for word in words if here in admin.get(acme.url(f"alerts/?ticket={word}")).text
    } == (found)


def test_a_ticket_of_an_earlier_occurrence_is_none_of_the_present_one(
    app: Flask, admin: FlaskClient, acme: Place, alert: int
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(Alert, alert).occurrences += 1
    here = f'href="{acme.url(f"alerts/{alert}")}"'
    assert here in admin.get(acme.url("alerts/?ticket=without")).text
    assert "#1042" not in admin.get(acme.url("alerts/")).text
    assert "Acme Desk #1042" in admin.get(acme.url(f"alerts/{alert}")).text


def test_an_address_of_the_helpdesk_that_is_none_is_no_link(
    app: Flask, admin: FlaskClient, acme: Place, alert: int
) -> None:
    change(app, acme, url="javascript:alert(1)")
    for path in (f"alerts/{alert}", f"tickets/{acme.ticket}"):
        assert "javascript:alert" not in admin.get(acme.url(path)).text


def test_who_is_asked_settles_an_unsure_one_where_it_is_shown(
    app: Flask, admin: FlaskClient, acme: Place, alert: int
) -> None:
    change(app, acme, status=TicketStatus.UNSURE, reference=None, last_error="The answer was lost.")
    assert "It is not sure whether" in admin.get(acme.url()).text
    path = acme.url(f"tickets/{acme.ticket}/settle")
    assert f'action="{path}"' in admin.get(acme.url(f"alerts/{alert}")).text
    typed = "7" * 300
    refused = admin.post(path, data={"found": "there", "reference": typed})
    assert (refused.status_code, typed in refused.text) == (422, True)
    back = admin.post(
        path, data={"found": "there", "reference": "#77", "next": acme.url(f"alerts/{alert}")}
    )
    assert back.location == acme.url(f"alerts/{alert}")
    page = admin.get(back.location).text
    assert "Look for ticket 77 in Acme Desk" in page
    change_kind(app, acme, "mail")
    told = admin.post(path, data={"found": "there", "reference": "77"})
    assert "This is ticket 77." in admin.get(told.location).text
    assert "Acme Desk #77" in admin.get(acme.url(f"alerts/{alert}")).text


def test_what_failed_is_tried_again_from_dashboard_and_list(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    change(app, acme, status=TicketStatus.FAILED, reference=None, last_error="No such queue.")
    page = admin.get(acme.url()).text
    assert "No such queue." in page
    assert f'action="{acme.url(f"tickets/{acme.ticket}/retry")}"' in page
    answer = admin.post(
        acme.url("tickets/retry"), data={"ticket": acme.ticket}, follow_redirects=True
    )
    assert "1 ticket is tried again." in answer.text
    again = admin.post(
        acme.url("tickets/retry"), data={"ticket": acme.ticket}, follow_redirects=True
    )
    assert "Nothing of it has failed." in again.text
    nothing = admin.post(acme.url("tickets/retry"), follow_redirects=True)
    assert "Select from 1 to 200 tickets." in nothing.text


def test_of_all_that_match_some_are_tried_again_and_the_rest_counted(
    app: Flask, admin: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "MOST_AT_ONCE", 2)
    change(app, acme, status=TicketStatus.FAILED, reference=None)
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        for number in range(2):
            ticket = make_ticket(acme.helpdesk, asset, "none")
            ticket.status, ticket.reference = TicketStatus.FAILED, None
            ticket.outage = f"more {number}"
            session.add(ticket)
            session.flush()
            ids = {"ticket_id": ticket.id, "helpdesk_id": acme.helpdesk, "key": f"more:{number}"}
            session.add(TicketTask(**ids, verb=TaskVerb.OPEN, status=TaskStatus.FAILED))
    path = acme.url("tickets/retry?state=attention")
    told = []
    for _press in range(3):
        page = admin.post(path, data={"which": "all"}, follow_redirects=True).text
        told += re.findall(r'data-message="([^"]*)"', page)
    assert told == [
        "2 tickets are tried again. 1 more failed: press “Try again” once more.",
        "1 ticket is tried again.",
        "No ticket matches any more that failed.",
    ]


def test_one_is_opened_by_hand_and_what_was_typed_is_kept(admin: FlaskClient, acme: Place) -> None:
    form = {"helpdesk": acme.helpdesk, "ticket_queue": "", "ticket_per": "check"}
    path = acme.url(f"tickets/of-alert/{acme.alert}")
    refused = admin.post(path, data=form | {"ticket_subject": "My own words"})
    assert refused.status_code == 422
    assert "My own words" in refused.text
    assert "Enter the queue" in refused.text
    for wrong in ({"ticket_per": "moon"}, {"helpdesk": "none"}):
        assert admin.post(path, data=form | {"ticket_queue": "x"} | wrong).status_code == 422
    opened = admin.post(path, data=form | {"ticket_queue": "network"})
    page = admin.get(opened.location).text
    assert "The ticket is being opened." in page
    assert "Acme Desk, no number yet" in page
    twice = admin.post(path, data=form | {"ticket_queue": "network"})
    assert (twice.status_code, "already" in twice.text) == (422, True)
    assert 'value="network"' in admin.get(path).text


def test_by_hand_the_helpdesks_lists_are_offered_and_names_are_understood(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    lists = {"queues": [{"id": "17", "name": "Network team"}], "customers": [], "priorities": []}
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(Helpdesk, acme.helpdesk).lists = lists
    path = acme.url(f"tickets/of-alert/{acme.alert}")
    assert '<option value="Network team">' in admin.get(path).text
    form = {"helpdesk": acme.helpdesk, "ticket_queue": "network TEAM", "ticket_per": "check"}
    assert admin.post(path, data=form).status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        queues = db.session.scalars(select(Ticket.queue).order_by(Ticket.id)).all()
        assert queues[-1] == "17"


def test_the_list_is_exported_as_it_is_filtered(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    change(app, acme, status=TicketStatus.FAILED, last_error="=It said no", touched_by="tess@x.y")
    file = admin.get(acme.url("tickets/export.csv?state=attention"))
    [row] = csv.DictReader(file.text.splitlines())
    assert (row["ticket_ref"], row["client"], row["asset"]) == ("1042", "Acme Client", "acme-pc")
    assert row["last_error"] == "'=It said no"
    assert "tess" not in file.text
    assert len(admin.get(acme.url("tickets/export.csv?state=over")).text.splitlines()) == 1
    assert (
        acme.url("tickets/export.csv?state=attention")
        in admin.get(acme.url("tickets/?state=attention")).text
    )


def test_the_list_filters_and_pages(app: Flask, admin: FlaskClient, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        for number in range(60):
            ticket = make_ticket(acme.helpdesk, asset, str(2000 + number))
            ticket.status, ticket.outage = TicketStatus.CLOSED, f"asset {number}"
            session.add(ticket)
    page = admin.get(acme.url("tickets/")).text
    assert "#1042" in page
    assert "#2000" not in page
    closed = admin.get(acme.url("tickets/?state=over")).text
    assert "1–50 of 60 tickets" in closed
    assert "#2000" in admin.get(acme.url("tickets/?state=over&page=2")).text
    found = admin.get(acme.url(f"tickets/?state=any&q=2059&helpdesk_id={acme.helpdesk}")).text
    assert found.count('class="line-title"') == 1


def test_who_may_not_act_sees_them_and_no_button(
    app: Flask, http: FlaskClient, acme: Place, alert: int
) -> None:
    change(app, acme, status=TicketStatus.UNSURE)
    sign_in(app, http, make_user(app, "viewer@acme.example", acme, role="viewer"))
    for path in (f"alerts/{alert}", f"tickets/{acme.ticket}", "", "tickets/"):
        page = http.get(acme.url(path)).text
        assert "/settle" not in page
        assert "/retry" not in page or path == "tickets/"
