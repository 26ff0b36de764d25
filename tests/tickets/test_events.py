"""What happens to tickets are events, whoever did it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.db import db
from portal.models import Event
from tests.helpdesks.simulated import Fault
from tests.tickets.conftest import Office
from tests.tickets.test_doing import cannot_find, open_one

MINUTES = timedelta(minutes=2, seconds=1)
pytestmark = pytest.mark.one_database


def list_events() -> list[Event]:
    query = select(Event).where(Event.type.startswith("ticket.")).order_by(Event.id)
    found = list(db.session.scalars(query))
    db.session.rollback()
    return found


def list_told(*names: str) -> list[tuple[Any, ...]]:
    """Types without what all begin with, and these of their payloads."""
    return [
        (event.type.removeprefix("ticket."), *(event.payload[name] for name in names))
        for event in list_events()
    ]


def test_of_what_the_portal_does(office: Office, clock: Any) -> None:
    office.add_client()
    office.add_rule(per="client")
    office.desk.raise_alerts(1)
    office.work()
    office.desk.raise_alerts(2)
    office.work()
    office.desk.resolve(1)
    office.work()
    office.desk.resolve(2)
    office.work()
    clock.shift(60)
    office.desk.raise_alerts(2)
    office.work()
    office.far.touch("1001")
    office.desk.resolve(2)
    office.work()
    assert list_told("status", "closed_by", "touched_by") == [
        ("opened", "open", None, None),
        ("commented", "open", None, None),
        ("commented", "open", None, None),
        ("closed", "closed", "portal", None),
        ("reopened", "open", None, None),
        ("commented", "open", None, "anna"),
    ]
    [opened, *_others] = events = list_events()
    assert {event.subject for event in events} == {"1001"}
    names = ("ticket_id", "helpdesk_id", "helpdesk", "reference", "url", "alert_ids")
    ticket, [there] = office.ticket(), office.there()
    assert [opened.payload[name] for name in names] == [
        *(ticket.id, office.helpdesk_id, "Desk", "1001", there.url),
        [office.desk.handling().alert_id],
    ]


def test_of_what_people_do_there(office: Office, clock: Any) -> None:
    open_one(office)
    for change in ("closed", "open"):
        clock.shift(MINUTES)
        office.far.set_state("1001", change)
        office.poll()
    clock.shift(MINUTES)
    office.far.delete("1001")
    office.poll()
    assert list_told("status", "closed_by", "touched_by") == [
        ("opened", "open", None, None),
        ("closed", "closed", "helpdesk", "anna"),
        ("reopened", "open", None, "anna"),
        ("gone", "gone", None, "anna"),
    ]


@pytest.mark.parametrize(("fault", "told"), [("refuses", "failed"), ("loses_answer", "unsure")])
def test_of_what_could_not_be_opened(office: Office, clock: Any, fault: str, told: str) -> None:
    cannot_find(office)
    office.far.plan = [Fault(fault)]
    open_one(office)
    clock.shift(60)
    office.work()
    [event] = list_events()
    assert (event.type, event.payload["status"]) == (f"ticket.{told}", told)
    assert event.payload["answer"]
