"""What may happen between two steps of the portal's: nothing is doubled, closed or lost by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.helpdesks import KINDS
from portal.helpdesks.carefully import open_once
from portal.helpdesks.kind import AnswerLost, Draft, HelpdeskError, NotDone, Refused
from portal.helpdesks.zammad.client import ZammadClient
from portal.models import Helpdesk
from portal.models.tickets.ticket import ClosedBy, TicketStatus
from portal.scope import limited_to
from portal.services.handling import deciding
from portal.services.helpdesks.changing import switch_helpdesk
from portal.services.helpdesks.reaching import make_way
from portal.services.tickets.attempts import begin
from portal.services.tickets.by_hand import link_existing
from portal.services.tickets.mending import retry
from portal.services.tickets.settling import settle
from portal.services.turns import claim
from tests.egress.servers import open_gateway
from tests.helpdesks.benches import HttpBench, ZammadBench
from tests.helpdesks.fake_zammad import fake_zammad
from tests.helpdesks.simulated import Fault, SimulatedHelpdesk, simulated
from tests.helpdesks.simulated_kind import SIMULATED, SimulatedClient, SimulatedKind
from tests.tickets.conftest import Office
from tests.tickets.test_by_hand import alert_id
from tests.tickets.test_doing import cannot_find, open_one

OPEN, CLOSED, UNSURE = TicketStatus.OPEN, TicketStatus.CLOSED, TicketStatus.UNSURE
pytestmark = pytest.mark.mainly("sqlite")


def begin_next(office: Office) -> Any:
    attempt = begin(office.helpdesk_id, claim(Helpdesk, office.helpdesk_id) or "")
    assert attempt is not None
    return attempt


def test_what_was_read_before_the_portal_reopened_it_closes_nothing(
    office: Office, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_one(office)
    office.desk.resolve(1)
    office.work()
    office.desk.raise_alerts(1)
    deciding.handle_due()
    read = SimulatedClient.read

    def read_slowly(client: SimulatedClient, references: Any) -> Any:
        found = read(client, references)
        monkeypatch.undo()
        monkeypatch.setitem(KINDS, SIMULATED.name, SIMULATED)
        clock.shift(5)
        office.do()
        return found

    monkeypatch.setattr(SimulatedClient, "read", read_slowly)
    office.poll()
    assert office.there()[0].state == "open"
    assert office.ticket().status is OPEN
    assert office.desk.handling(-1).acknowledged_by is None


@pytest.mark.parametrize("then", ["refused", "not reached", "switched off"])
def test_one_that_was_perhaps_opened_is_not_opened_as_another_one(
    office: Office, clock: Any, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """Whatever comes after a lost answer: a person looks for it."""
    office.far.plan = [Fault.DOES_LATER]
    open_one(office)
    clock.shift(60)
    error: HelpdeskError = Refused("No.") if then == "refused" else NotDone("Later.")

    def fail(*_args: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(SimulatedClient, "find", fail)
        office.do()
        if then == "not reached":
            for _ in range(60):
                clock.shift(1860)
                office.do()
    office.far.catch_up()
    if then == "switched off":
        switch_helpdesk(office.helpdesk_id, on=False)
        switch_helpdesk(office.helpdesk_id, on=True)
    clock.shift(30)
    office.desk.resolve(1)
    office.work()
    office.desk.raise_alerts(1)
    office.work()
    assert len(office.there()) == len(office.tickets()) == 1
    assert office.ticket().status is (OPEN if then == "switched off" else UNSURE)


@pytest.mark.parametrize("error", [NotDone("Later."), Refused("No.")])
@pytest.mark.parametrize("fault", [None, Fault.LOSES_ANSWER])
def test_a_search_that_fails_after_it_was_opened_says_that_it_may_be_there(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: HelpdeskError, fault: Fault | None
) -> None:
    find, calls = SimulatedClient.find, []

    def fail_later(client: SimulatedClient, key: str) -> Any:
        calls.append(key)
        if len(calls) > 1:
            raise error
        return find(client, key)

    monkeypatch.setattr(SimulatedClient, "find", fail_later)
    office.far.plan = [fault]
    client = begin_client(office)
    with pytest.raises(AnswerLost, match=error.message):
        open_once(client, Draft(key="k-1", queue="support", subject="Disk", body="Full"))
    assert len(office.there()) == 1


def begin_client(office: Office) -> Any:
    way = make_way(office.helpdesk())
    assert way is not None
    return way.connect()


def test_a_double_is_closed_although_its_comment_is_lost(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft(key="k-1", queue="support", subject="Disk", body="Full")
    client = begin_client(office)
    open_there = SimulatedClient.open

    def open_late(self: SimulatedClient, draft: Draft) -> Any:
        office.far.catch_up()
        return open_there(self, draft)

    office.far.plan = [Fault.DOES_LATER, None, Fault.LOSES_ANSWER]
    with pytest.raises(AnswerLost):
        open_once(client, draft)
    monkeypatch.setattr(SimulatedClient, "open", open_late)
    assert open_once(client, draft).reference == "1001"
    assert [there.state for there in office.there()] == ["open", "closed"]


def test_an_alert_that_is_linked_while_its_ticket_is_being_closed_keeps_it_open(
    office: Office, clock: Any
) -> None:
    open_one(office)
    office.desk.raise_alerts(2)
    office.work()
    office.desk.resolve(1)
    deciding.handle_due()
    attempt = begin_next(office)
    ticket = office.tickets()[0]
    office.desk.add_rule(ticket=None)
    office.desk.raise_alerts(3)
    link_existing(alert_id(2), office.helpdesk_id, ticket.reference or "", by="anna@example.com")
    attempt.do()
    clock.shift(15)
    office.do()
    assert office.there()[0].state == "open"
    assert office.tickets()[0].status is OPEN
    assert not office.waits()


@pytest.mark.parametrize("is_limited", [False, True])
def test_what_is_retried_closes_no_ticket_of_an_active_alert(
    office: Office, is_limited: bool
) -> None:
    """Nor where whoever has it tried again may not see that alert."""
    client_id = office.add_client()
    office.add_rule(per="client")
    office.desk.raise_alerts(1)
    office.work()
    office.far.plan = [None, Fault.REFUSES]
    office.desk.resolve(1)
    office.work()
    assert ("close", "failed") in office.tasks()
    office.desk.raise_alerts(2)
    office.work()
    with limited_to([client_id] if is_limited else None):
        assert retry([office.ticket().id]).done == 1
    office.do()
    assert (office.there()[0].state, office.ticket().status) == ("open", OPEN)
    office.desk.resolve(2)
    office.work()
    assert (office.there()[0].state, office.ticket().status) == ("closed", CLOSED)
    assert not office.waits()


def test_what_recurs_while_a_last_word_is_lost_is_told(
    office: Office, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a helpdesk that is only told, as by mail."""
    cannot_find(office)
    monkeypatch.setattr(SimulatedKind, "can_close", lambda *_args: False)
    office.add_client()
    office.add_rule(per="client")
    office.desk.raise_alerts(1)
    office.work()
    office.desk.resolve(1)
    deciding.handle_due()
    begin_next(office)
    office.desk.raise_alerts(2)
    deciding.handle_due()
    clock.shift(15)
    office.do()
    assert office.ticket().status is OPEN
    assert office.said()[-1].startswith("Again") or office.said()[-1].startswith("Also")
    assert not office.waits()


def test_a_close_that_is_always_lost_is_given_up_after_a_day(office: Office, clock: Any) -> None:
    cannot_find(office)
    open_one(office)
    office.far.choose = lambda: Fault.ERROR_BEFORE
    office.desk.resolve(1)
    office.work()
    for _ in range(60):
        clock.shift(1860)
        office.do()
    assert not office.waits()


def test_a_foreign_ticket_that_took_in_ours_is_never_closed(office: Office, clock: Any) -> None:
    open_one(office)
    foreign = {"queue": "support", "subject": "Disks", "key": ""}
    told = office.far.answer("POST", "/tickets", "anna", foreign).data
    office.far.merge("1001", str(told["ticket"]["id"]), by="")
    clock.shift(125)
    office.poll()
    office.desk.resolve(1)
    office.work()
    assert office.there()[1].state == "open"
    assert office.said(1)[0].startswith("Over")


def test_a_close_whose_answer_was_lost_is_the_portals(office: Office, clock: Any) -> None:
    """Where nobody can be asked for the comment either."""
    cannot_find(office)
    open_one(office)
    office.far.plan = [None, Fault.LOSES_ANSWER]
    office.desk.resolve(1)
    office.work()
    office.poll()
    clock.shift(60)
    office.do()
    assert (office.ticket().status, office.ticket().closed_by) == (CLOSED, ClosedBy.PORTAL)


@pytest.mark.parametrize("fault", [Fault.LOSES_ANSWER, Fault.DOES_LATER])
def test_what_recurs_after_a_close_that_was_lost_is_opened_again(
    office: Office, clock: Any, fault: Fault
) -> None:
    """Whether or not it was carried out: the portal cannot know that nobody else closed it."""
    cannot_find(office)
    open_one(office)
    office.far.plan = [None, fault]
    office.desk.resolve(1)
    deciding.handle_due()
    attempt = begin_next(office)
    settle(attempt, attempt.do())
    office.do()  # what may yet be carried out is left alone for some seconds
    office.desk.raise_alerts(1)
    office.work()
    office.far.catch_up()
    clock.shift(125)
    office.poll()
    office.do()
    assert (office.there()[0].state, office.ticket().status) == ("open", OPEN)
    assert [verb for verb, status in office.tasks() if status == "done"][-1] == "reopen"
    assert not office.waits()


@pytest.mark.parametrize("name", ["http", "zammad"])
def test_of_two_with_one_key_the_first_counts_in_whatever_order_they_are_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    draft = Draft(key="k-1", queue="1", subject="Disk", body="Full")
    with open_gateway() as gateway, fake_zammad() as zammad, simulated() as desk:
        bench = ZammadBench(zammad) if name == "zammad" else HttpBench(desk)
        setup = bench.list_setups()["good"]()
        helpdesk = bench.kind.connect(gateway, setup.settings, setup.secrets)
        queued = replace(draft, queue=bench.queues[0])
        first = helpdesk.open(queued).reference
        helpdesk.open(queued)
        find, search = SimulatedHelpdesk._find, ZammadClient._search
        monkeypatch.setattr(SimulatedHelpdesk, "_find", lambda *args: find(*args)[::-1])
        turn: Any = lambda *args: dict(reversed(search(*args).items()))  # noqa: E731
        monkeypatch.setattr(ZammadClient, "_search", turn)
        found = helpdesk.find("k-1")
    assert found[0].reference == first
