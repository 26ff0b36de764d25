"""What people do in the helpdesk is seen here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.models.tickets.ticket import ClosedBy, TicketStatus
from portal.services.tickets import polling
from portal.services.tickets.hints import make_address
from tests.helpdesks.simulated import Fault
from tests.helpdesks.simulated_kind import SimulatedKind
from tests.tickets.conftest import Office

OPEN, CLOSED, GONE = TicketStatus.OPEN, TicketStatus.CLOSED, TicketStatus.GONE
MINUTES = timedelta(minutes=2, seconds=1)
pytestmark = pytest.mark.one_database


@pytest.fixture
def opened(office: Office, clock: Any) -> Office:
    """With a ticket for each of two alerts."""
    office.add_rule()
    office.desk.raise_alerts(1, 2)
    office.work()
    return office


def test_what_is_closed_there_is_acknowledged_here(opened: Office, clock: Any) -> None:
    opened.far.set_state("1001", "closed")
    opened.poll()
    ticket = opened.tickets()[0]
    assert (ticket.status, ticket.closed_by, ticket.touched_by) == (
        CLOSED,
        ClosedBy.HELPDESK,
        "anna",
    )
    handling = opened.desk.handling()
    assert (handling.acknowledged_by, handling.acknowledgement) == (
        "Desk",
        "Closed in Desk: ticket 1001.",
    )
    assert opened.desk.handling(1).acknowledged_at is None
    assert "anna closed ticket 1001 in Desk." in opened.desk.timeline()
    opened.desk.resolve(1)
    opened.work()
    assert opened.said() == []
    opened.desk.raise_alerts(1)
    opened.work()
    assert len(opened.there()) == 3, "a person closed it: it is a new one"


def test_what_a_person_reopens_is_seen_at_the_next_look(opened: Office, clock: Any) -> None:
    opened.desk.resolve(1)
    opened.work()
    assert opened.tickets()[0].status is CLOSED
    clock.shift(MINUTES)
    opened.poll()
    assert opened.tickets()[0].status is CLOSED
    opened.far.set_state("1001", "open")
    clock.shift(MINUTES)
    opened.poll()
    ticket = opened.tickets()[0]
    assert (ticket.status, ticket.closed_at, ticket.touched_by) == (OPEN, None, "anna")
    assert "anna reopened ticket 1001 in Desk." in opened.desk.timeline()
    clock.shift(timedelta(hours=1))
    opened.desk.raise_alerts(1)
    opened.work()
    assert len(opened.there()) == 2, "it hangs on the one that is open"
    opened.far.set_state("1001", "closed")
    opened.poll()
    opened.far.set_state("1001", "open")
    opened.desk.resolve(1)
    opened.desk.raise_alerts(1)
    opened.work()
    clock.shift(timedelta(days=8))
    opened.poll()
    assert opened.tickets()[0].status is CLOSED, "its outage has another one"


def test_all_are_asked_for_in_one_request(opened: Office, clock: Any) -> None:
    asked = len(opened.far.requests)
    opened.poll()
    opened.poll()
    assert len(opened.far.requests) == asked + 1
    clock.shift(MINUTES)
    opened.far.touch("1002")
    opened.poll()
    assert [ticket.touched_by for ticket in opened.tickets()] == [None, "anna"]
    assert "anna works on ticket 1002 in Desk." in opened.desk.timeline()


def test_more_than_a_turn_is_enough_for_leave_other_helpdesks_their_turn(
    opened: Office, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimulatedKind, "reads_at_once", lambda *_: 1)
    monkeypatch.setattr(polling, "TURN_SECONDS", -1)
    for number in ("1001", "1002"):
        opened.far.touch(number)
    clock.shift(MINUTES)
    touched = []
    for _turn in range(2):
        asked = len(opened.far.requests)
        opened.poll()
        opened.poll()
        assert len(opened.far.requests) == asked + 1
        clock.shift(polling.SOON)
        touched.append([ticket.touched_by for ticket in opened.tickets()])
    assert touched == [["anna", None], ["anna", "anna"]]


def test_what_came_after_it_was_last_seen_open_is_not_acknowledged(
    office: Office, clock: Any
) -> None:
    office.add_client()
    office.add_rule(per="client")
    office.desk.raise_alerts(1)
    office.work()
    clock.shift(30)
    office.far.set_state("1001", "closed")
    office.desk.raise_alerts(2)
    office.work()
    office.poll()
    assert office.desk.handling(0).acknowledged_by == "Desk"
    assert office.desk.handling(1).acknowledged_by is None


def test_what_is_gone_or_merged_is_said(opened: Office, clock: Any) -> None:
    opened.desk.raise_alerts(3)
    opened.work()
    opened.far.delete("1002")
    opened.far.merge("1003", "1001")
    opened.poll()
    assert [ticket.status for ticket in opened.tickets()] == [OPEN, GONE, GONE]
    opened.desk.resolve(1)
    opened.work()
    assert opened.said()[0].endswith("1 alert still active.")


def test_one_that_was_merged_into_a_foreign_one_goes_on_there(opened: Office, clock: Any) -> None:
    opened.far.delete("1002")
    opened.poll()
    foreign = {"queue": "support", "subject": "Disks", "key": ""}
    told = opened.far.answer("POST", "/tickets", "anna", foreign).data
    into = str(told["ticket"]["id"])
    opened.far.merge("1001", into)
    clock.shift(MINUTES)
    opened.poll()
    assert (opened.tickets()[0].status, opened.tickets()[0].reference) == (OPEN, into)


def test_a_helpdesk_that_does_not_answer_is_failing(opened: Office, clock: Any) -> None:
    opened.change(settings={"url": "http://127.0.0.1:1"})
    opened.poll()
    helpdesk = opened.helpdesk()
    assert helpdesk.failures == 1
    assert helpdesk.last_error


def test_a_hint_makes_the_next_look_due(opened: Office, app: Flask, clock: Any) -> None:
    opened.poll()
    opened.far.set_state("1001", "closed")
    clock.shift(10)
    opened.poll()
    assert opened.tickets()[0].status is OPEN
    path = make_address(opened.helpdesk_id).partition("/api/")[2]
    http = app.test_client()
    assert http.post(f"/api/{path}", data=b"whatever").status_code == 202
    assert http.post(f"/api/{path}x", data=b"whatever").status_code == 404
    opened.poll()
    assert opened.tickets()[0].status is CLOSED


def test_a_lost_close_that_a_person_did_meanwhile_is_no_fault(opened: Office, clock: Any) -> None:
    opened.far.plan = [None, Fault.LOSES_ANSWER]
    opened.desk.resolve(1)
    opened.work()
    opened.poll()
    clock.shift(60)
    opened.work()
    ticket = opened.tickets()[0]
    assert (ticket.status, ticket.closed_by) == (CLOSED, ClosedBy.PORTAL)
