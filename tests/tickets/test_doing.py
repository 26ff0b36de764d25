"""Lost answers, refusals and dead processes: never two tickets, and never one forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.models import Helpdesk
from portal.models.tickets.ticket import TicketStatus
from portal.scope import tenant_scope
from portal.services.handling import deciding
from portal.services.helpdesks.changing import switch_helpdesk
from portal.services.tickets.attempts import OPENS_AGAIN, begin
from portal.services.tickets.doing import do_tickets
from portal.services.tickets.settling import settle
from portal.services.turns import claim
from tests.helpdesks.simulated import Fault, Search
from tests.tickets.conftest import Office

OPEN, FAILED, UNSURE = TicketStatus.OPEN, TicketStatus.FAILED, TicketStatus.UNSURE
WAITING = TicketStatus.WAITING
mainly = pytest.mark.mainly("sqlite")


def open_one(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()


def cannot_find(office: Office) -> None:
    office.change(settings={"url": office.far.url, "cannot_find": True})


@mainly
@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.LATE])
def test_after_each_fault_there_is_one_ticket(office: Office, clock: Any, fault: Fault) -> None:
    office.far.plan = [fault]
    open_one(office)
    office.far.catch_up()
    clock.shift(OPENS_AGAIN)
    office.do()
    if fault in (Fault.REFUSES, Fault.MOVED):
        assert (office.ticket().status, office.there()) == (FAILED, [])
        return
    assert (office.ticket().status, len(office.there())) == (OPEN, 1)
    assert office.helpdesk().failures == 0


@mainly
@pytest.mark.parametrize("fault", [Fault.LOSES_ANSWER, Fault.DOES_LATER, Fault.ERROR_BEFORE])
def test_one_failure_holds_up_its_own_ticket_alone(
    office: Office, clock: Any, fault: Fault
) -> None:
    office.add_rule()
    office.desk.raise_alerts(1, 2, 3)
    office.far.plan = [fault]
    office.work()
    [first, *others] = [ticket.status for ticket in office.tickets()]
    assert others == [OPEN, OPEN]
    assert first in (OPEN, WAITING)
    office.far.catch_up()
    clock.shift(OPENS_AGAIN if fault is Fault.ERROR_BEFORE else 5)
    office.do()
    assert [ticket.status for ticket in office.tickets()] == [OPEN] * 3
    assert len(office.there()) == 3


@mainly
def test_two_failures_in_a_row_hold_up_the_helpdesk(office: Office, clock: Any) -> None:
    office.add_rule()
    office.desk.raise_alerts(1, 2, 3)
    office.far.plan = [Fault.ERROR_BEFORE, Fault.DOES_LATER]
    office.work()
    office.do()
    assert {ticket.status for ticket in office.tickets()} == {WAITING}
    assert office.there() == []
    office.far.catch_up()
    clock.shift(OPENS_AGAIN)
    office.do()
    assert {ticket.status for ticket in office.tickets()} == {OPEN}
    assert len(office.there()) == 3


@mainly
@pytest.mark.parametrize("fault", [Fault.LOSES_ANSWER, Fault.ERROR_BEFORE])
def test_who_cannot_be_asked_is_not_asked_to_open_again(
    office: Office, clock: Any, fault: Fault
) -> None:
    cannot_find(office)
    office.far.plan = [fault]
    open_one(office)
    office.desk.resolve(1)
    for _ in range(3):
        clock.shift(60)
        office.work()
    assert (office.ticket().status, len(office.there())) == (UNSURE, fault is Fault.LOSES_ANSWER)
    assert office.tasks() == [("open", "unsure"), ("close", "waiting")]
    assert any("may have been opened in Desk" in text for text in office.desk.timeline())
    office.desk.raise_alerts(2)
    office.work()
    assert office.tickets()[1].status is OPEN


@mainly
def test_a_comment_whose_answer_was_lost_is_there_once(office: Office, clock: Any) -> None:
    open_one(office)
    office.far.plan = [Fault.LOSES_ANSWER, Fault.LOSES_ANSWER]
    office.desk.resolve(1)
    for _ in range(3):
        office.work()
        clock.shift(60)
    assert len(office.said()) == 1
    assert [each.state for each in office.there()] == ["closed"]


@mainly
def test_what_cannot_be_asked_for_comments_goes_on_without(office: Office, clock: Any) -> None:
    cannot_find(office)
    open_one(office)
    office.far.plan = [Fault.LOSES_ANSWER]
    office.desk.resolve(1)
    office.work()
    clock.shift(60)
    office.do()
    assert len(office.said()) == 1
    assert [each.state for each in office.there()] == ["closed"]


@mainly
def test_a_key_that_is_lost_stops_the_opening_of_more(office: Office) -> None:
    office.far.drops_key = True
    open_one(office)
    office.desk.raise_alerts(2)
    office.work()
    assert [str(ticket.status) for ticket in office.tickets()] == ["open", "waiting"]
    assert not office.helpdesk().is_proven
    assert len(office.there()) == 1


@mainly
def test_a_search_that_finds_what_is_not_ours_opens_none(office: Office) -> None:
    open_one(office)
    office.far.search = Search.IGNORES_KEY
    office.desk.raise_alerts(2)
    office.work()
    assert [str(ticket.status) for ticket in office.tickets()] == ["open", "failed"]
    assert len(office.there()) == 1


@mainly
def test_what_cannot_be_done_for_a_day_is_given_up(office: Office, clock: Any) -> None:
    office.far.choose = lambda: Fault.DOWN
    open_one(office)
    for _ in range(60):
        clock.shift(timedelta(minutes=31))
        office.do()
    assert office.ticket().status is FAILED
    assert not office.waits()
    assert "503" in (office.ticket().last_error or "")


@mainly
def test_those_that_cannot_be_opened_hold_up_no_other(office: Office, clock: Any) -> None:
    office.far.plan = [Fault.ERROR_BEFORE] * 2
    office.add_rule()
    office.desk.raise_alerts(1, 2)
    office.work()
    office.desk.raise_alerts(3)
    clock.shift(30)
    office.far.plan = [None, *[Fault.ERROR_BEFORE] * 2]
    office.work()
    assert [ticket.status for ticket in office.tickets()] == [WAITING, WAITING, OPEN]


@mainly
def test_switched_off_drops_what_waits_with_a_word(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    deciding.handle_due()
    switch_helpdesk(office.helpdesk_id, on=False)
    office.do()
    ticket = office.ticket()
    assert (ticket.status, ticket.last_error) == (FAILED, "The helpdesk was switched off.")
    assert office.desk.timeline()[-1] == (
        "To open a ticket in Desk is not needed any more. The helpdesk was switched off."
    )
    office.desk.raise_alerts(2)
    office.work()
    assert len(office.tickets()) == 1


@pytest.mark.parametrize("died", ["before", "after"])
def test_a_worker_that_is_killed_opens_no_second_one(office: Office, clock: Any, died: str) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    deciding.handle_due()
    lease = claim(Helpdesk, office.helpdesk_id)
    assert lease is not None
    attempt = begin(office.helpdesk_id, lease)
    assert attempt is not None
    if died == "after":
        attempt.do()
    office.do()  # its lease still holds
    assert office.ticket().status is TicketStatus.WAITING
    clock.shift(15 if died == "after" else OPENS_AGAIN)
    office.do()
    assert (office.ticket().status, len(office.there())) == (OPEN, 1)
    assert settle(attempt, attempt.do()) is False
    assert len(office.there()) == 1


@mainly
def test_a_worker_that_is_killed_at_one_that_cannot_be_asked_leaves_it_unsure(
    office: Office, clock: Any
) -> None:
    cannot_find(office)
    office.add_rule()
    office.desk.raise_alerts(1)
    deciding.handle_due()
    assert begin(office.helpdesk_id, claim(Helpdesk, office.helpdesk_id) or "") is not None
    clock.shift(15)
    office.do()
    assert (office.ticket().status, office.there()) == (UNSURE, [])


def test_news_decisions_and_workers_at_the_same_moment(office: Office, app: Flask) -> None:
    """Two that decide and two that work, while alerts of one client and of many checks come and
    go: one ticket for each outage, and all are closed at the end."""
    office.add_rule()
    is_done = threading.Event()

    def again(work: Callable[[], object]) -> None:
        with app.app_context(), tenant_scope(office.desk.tenant_id):
            while not is_done.is_set():
                work()

    def do() -> None:
        do_tickets(office.helpdesk_id)

    with ThreadPoolExecutor() as threads:
        works = [deciding.handle_due, deciding.handle_due, do, do]
        running = [threads.submit(again, work) for work in works]
        try:
            for first in range(0, 24, 4):
                pks = range(first, first + 4)
                office.desk.raise_alerts(*pks)
                office.desk.resolve(*pks)
                office.desk.raise_alerts(*pks)
                office.desk.resolve(*pks)
        finally:
            is_done.set()
        for each in running:
            each.result()
    office.work()
    for _turn in range(24):  # each ends after some time, however little was done in it
        if office.waits():
            office.work()
    keys = [there.key for there in office.there()]
    assert len(keys) == len(set(keys)) == len(office.tickets()) == 24
    assert {there.state for there in office.there()} == {"closed"}
    assert not office.waits()
