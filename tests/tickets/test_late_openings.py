"""A helpdesk that opens a ticket long after the portal gave it up: one stays open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.models.tickets.ticket import TicketStatus
from portal.services.tickets.doubts import LOOKING
from tests.helpdesks.simulated import Fault
from tests.tickets.conftest import Office

pytestmark = pytest.mark.one_database
MINUTES = timedelta(minutes=3)


def count_opens(office: Office) -> int:
    return office.far.requests.count("POST /tickets")


def count_open(office: Office) -> int:
    return [there.state for there in office.there()].count("open")


def lose_one(office: Office) -> None:
    """Its opening is left for `catch_up`."""
    office.far.plan = [Fault.DOES_LATER]
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()


def lose_one_and_open_another(office: Office, clock: Any) -> None:
    lose_one(office)
    clock.shift(MINUTES)
    office.do()
    office.far.catch_up()
    assert (office.ticket().reference, count_open(office)) == ("1001", 2)


def test_a_helpdesk_that_needs_half_a_minute_for_each_opens_one(
    office: Office, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, late = 0, list[tuple[int, Callable[[], object]]]()
    monkeypatch.setattr(office.far, "_leave", lambda do, **_own: late.append((now + 30, do)))
    office.far.choose = lambda: Fault.DOES_LATER
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    for now in range(5, 300, 5):
        clock.shift(5)
        while late and late[0][0] <= now:
            late.pop(0)[1]()
        office.do()
    assert (office.ticket().status, len(office.there())) == (TicketStatus.OPEN, 1)
    assert count_opens(office) == 1


def test_one_that_was_lost_is_looked_for_and_opened_again_after_two_minutes(
    office: Office, clock: Any
) -> None:
    office.far.plan = [Fault.ERROR_BEFORE]
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    looks = []
    for now in range(5, 120, 5):
        clock.shift(5)
        before = len(office.far.requests)
        office.do()
        looks += [now] * (len(office.far.requests) - before)
    assert (looks[:3], len(looks) < 8) == ([5, 10, 25], True)
    ticket = office.ticket()
    assert (ticket.status, count_opens(office)) == (TicketStatus.WAITING, 1)
    assert LOOKING in (ticket.last_error or "")
    assert LOOKING in office.desk.timeline()[-1]
    assert office.helpdesk().failures == 1
    clock.shift(30)
    office.do()
    ticket = office.ticket()
    assert (ticket.status, ticket.last_error) == (TicketStatus.OPEN, None)
    assert (count_opens(office), len(office.there())) == (2, 1)


def test_a_look_that_is_not_answered_is_no_reason_to_open_again_sooner(
    office: Office, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_one(office)
    with monkeypatch.context() as patched:
        patched.setattr(office.far, "answer", broken)
        clock.shift(10)
        office.do()
    clock.shift(60)
    office.do()
    assert (office.ticket().status, count_opens(office)) == (TicketStatus.WAITING, 1)


def broken(*_args: object) -> object:
    raise ConnectionError


@pytest.mark.parametrize("is_touched", [False, True])
def test_a_double_is_closed_with_its_ticket(office: Office, clock: Any, is_touched: bool) -> None:
    """That somebody works on the first one is no reason to leave the other."""
    lose_one_and_open_another(office, clock)
    if is_touched:
        office.far.touch("1001")
    office.desk.resolve(1)
    office.work()
    states = ["open" if is_touched else "closed", "closed"]
    assert [there.state for there in office.there()] == states
    assert office.said(1) == ["The same as 1001."]


def test_a_double_is_closed_where_a_person_closes_its_ticket(office: Office, clock: Any) -> None:
    lose_one_and_open_another(office, clock)
    office.far.set_state("1001", "closed")
    office.poll()
    assert [there.state for there in office.there()] == ["closed", "closed"]


def test_a_double_that_somebody_works_on_stays_open(office: Office, clock: Any) -> None:
    lose_one_and_open_another(office, clock)
    office.far.touch("1002")
    office.desk.resolve(1)
    office.work()
    assert [there.state for there in office.there()] == ["closed", "open"]


def test_nobody_looks_for_doubles_of_one_that_was_not_lost(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    before = len(office.far.requests)
    office.desk.resolve(1)
    office.work()
    assert not [each for each in office.far.requests[before:] if "key=" in each]
