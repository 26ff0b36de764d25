"""One ticket for one outage: opened, commented, closed, opened again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.clock import utc_now
from portal.db import transaction
from portal.helpdesks.kind import Choice
from portal.models import Alert
from portal.models.tickets.ticket import ClosedBy, TicketStatus
from portal.services.helpdesks.customers import map_customers
from portal.services.rules.terms import Conditions
from portal.services.tickets.orphans import DELETED, close_orphans
from tests.tickets.conftest import Office

pytestmark = pytest.mark.one_database

OPEN, CLOSED = TicketStatus.OPEN, TicketStatus.CLOSED


def test_a_rule_opens_a_ticket_and_the_end_of_the_alert_closes_it(
    office: Office, clock: Any
) -> None:
    office.add_rule(priority="3")
    office.desk.raise_alerts(1)
    office.work()
    ticket, [there] = office.ticket(), office.there()
    assert (ticket.status, ticket.reference, ticket.url) == (OPEN, "1001", there.url)
    assert (there.queue, there.priority, there.key) == ("support", "3", ticket.key)
    assert there.subject == "Check failing: SRV-1"
    assert "Disk 1 is full" in there.body
    assert "/t/acme/alerts/" in there.body
    assert "The rule “Rule 1” matches. To be told: nobody yet. A ticket belongs in Desk." in (
        office.desk.timeline()
    )
    clock.shift(12 * 60)
    office.desk.resolve(1)
    office.work()
    ticket = office.ticket()
    assert (ticket.status, ticket.closed_by, there.state) == (CLOSED, ClosedBy.PORTAL, "closed")
    [said] = office.said()
    assert said.startswith("Over after 12 minutes: SRV-1, Disk 1 is full. http")
    assert said.endswith("The portal closes this ticket.")
    timeline = office.desk.timeline()
    assert [text for text in timeline if "1001" in text] == [
        "Opened ticket 1001 in Desk.",
        "Closed ticket 1001 in Desk.",
    ]


def test_what_recurs_soon_opens_its_ticket_again(office: Office, clock: Any) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    office.desk.resolve(1)
    office.work()
    clock.shift(timedelta(hours=23))
    office.desk.raise_alerts(1)
    office.work()
    [there] = office.there()
    assert (office.ticket().status, there.state) == (OPEN, "open")
    assert office.said()[-1].startswith("Again: Check failing: SRV-1, Disk 1 is full.")
    office.desk.resolve(1)
    office.work()
    assert there.state == "closed"
    clock.shift(timedelta(hours=25))
    office.desk.raise_alerts(1)
    office.work()
    assert [each.state for each in office.there()] == ["closed", "open"]


def test_a_resolve_closes_only_what_nobody_touched(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    office.far.touch("1001")
    office.desk.resolve(1)
    office.work()
    ticket, [there] = office.ticket(), office.there()
    assert (ticket.status, ticket.touched_by, there.state) == (OPEN, "anna", "open")
    assert office.said()[-1].endswith("The ticket stays open, as anna has worked on it.")
    office.desk.raise_alerts(1)
    office.work()
    assert len(office.there()) == 1
    assert office.said()[-1].startswith("Again: ")


def test_what_hung_on_alerts_that_were_deleted_is_closed_as_a_resolve_does(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1, 2, 3)
    office.work()
    office.far.touch("1002")
    for _again in range(2):
        with transaction() as session:
            for alert in session.query(Alert).where(Alert.external_alert_id != "3"):
                session.delete(alert)
        close_orphans()
        office.work()
    assert [there.state for there in office.there()] == ["closed", "open", "open"]
    assert [ticket.status for ticket in office.tickets()] == [CLOSED, OPEN, OPEN]
    [told] = [text for text in office.said(1) if "as anna has worked on it" in text]
    assert told.startswith(DELETED)


def test_several_alerts_of_a_client_hang_on_one_ticket(office: Office) -> None:
    """As in a storm: they are told in few comments, and the last one that is over closes it."""
    office.add_rule(per="client")
    client_id = office.add_client()
    map_customers(office.helpdesk_id, {client_id: Choice("c7", "Customer 7")})
    office.desk.raise_alerts(*range(1, 41))
    office.work()
    tickets = office.tickets()
    assert [ticket.outage for ticket in tickets] == [f"client {client_id}"]
    assert [(each.customer, each.subject) for each in office.there()] == [
        ("c7", "Alerts of Contoso")
    ]
    assert office.tasks() == [("open", "done"), ("comment", "done")]
    assert office.said()[0].count("Also: Check failing: SRV-") == 39
    office.desk.resolve(*range(1, 40))
    office.work()
    assert office.said()[1].endswith("1 alert still active.")
    assert office.ticket().status is OPEN
    office.desk.resolve(40)
    office.work()
    assert office.ticket().status is CLOSED


def test_a_ticket_for_each_check_or_for_an_asset(office: Office) -> None:
    office.add_rule(Conditions(severities=("error",)), per="check")
    office.add_rule(Conditions(severities=("warning",)), per="asset")
    asset_id = office.add_asset(office.add_client(), 3)
    office.desk.raise_alerts(1, 2)
    for pk in (3, 4, 5):
        agent_id = "agent-3" if pk < 5 else "agent-5"
        office.desk.raise_alerts(pk, severity="warning", agent_id=agent_id)
    office.work()
    assert [ticket.outage for ticket in office.tickets()] == [
        *("check 1", "check 2", f"asset {asset_id}", "check 5"),
    ]


def test_a_ticket_leads_to_the_asset_and_to_what_hangs_on_it(office: Office) -> None:
    asset_id = office.add_asset(office.add_client(), 1)
    office.add_rule(per="asset")
    office.desk.raise_alerts(1)
    office.desk.raise_alerts(2, agent_id="agent-1")
    office.work()
    ticket, [there] = office.ticket(), office.there()
    address = ticket.page or ""
    assert address.endswith(f"/t/acme/assets/{asset_id}")
    assert f"\nAsset: {address}" in there.body
    assert "It hangs on a ticket that waits to be opened in Desk." in office.desk.timeline()
    office.desk.raise_alerts(3, agent_id="agent-1")
    office.work()
    assert "It hangs on ticket 1001 in Desk." in office.desk.timeline()


def test_the_customer_of_the_rule_goes_before_the_clients(office: Office) -> None:
    client_id = office.add_client()
    map_customers(office.helpdesk_id, {client_id: Choice("c7", "Customer 7")})
    office.add_rule(Conditions(severities=("error",)), customer="c9")
    office.add_rule()
    office.desk.raise_alerts(1)
    office.desk.raise_alerts(2, severity="warning")
    office.work()
    assert [there.customer for there in office.there()] == ["c9", "c7"]


def test_what_a_window_keeps_back_does_not_last_or_is_ignored_opens_none(
    office: Office, clock: Any
) -> None:
    office.desk.add_rule(Conditions(severities=("info",)), ignore="Noise.")
    office.add_rule(Conditions(lasting_minutes=10))
    office.desk.add_window(minutes=60)
    office.desk.raise_alerts(1)
    office.desk.raise_alerts(2, severity="info")
    office.work()
    clock.shift(timedelta(minutes=61))
    office.work()
    office.desk.raise_alerts(3)
    clock.shift(timedelta(minutes=5))
    office.desk.resolve(3)
    office.work()
    assert office.there() == []
    clock.shift(timedelta(minutes=5))
    office.work()
    assert [there.subject for there in office.there()] == ["Check failing: SRV-1"]


def test_an_alert_that_is_back_before_its_ticket_was_closed_keeps_it_open(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    office.desk.resolve(1)
    office.desk.work()  # decided, and not done
    office.desk.raise_alerts(1)
    office.work()
    [there] = office.there()
    assert (there.state, office.ticket().status) == ("open", OPEN)
    assert [verb for verb, _status in office.tasks()] == ["open", "comment"]


def test_without_a_good_probe_nothing_is_opened_but_what_is_open_is_closed(office: Office) -> None:
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    office.change(is_proven=False)
    office.desk.raise_alerts(2)
    office.desk.resolve(1)
    office.work()
    assert [there.state for there in office.there()] == ["closed"]
    assert [str(ticket.status) for ticket in office.tickets()] == ["closed", "waiting"]
    office.change(is_proven=True)
    office.work()
    assert len(office.there()) == 2


def test_a_template_words_the_ticket(office: Office) -> None:
    office.add_rule(subject="{{ hostname }}: {{ message }}", body="{{ url }}\n{{ asset_url }}.")
    office.desk.raise_alerts(1)
    office.work()
    [there] = office.there()
    assert there.subject == "SRV-1: Disk 1 is full"
    assert there.body.endswith("\n.")


def test_the_order_of_news_is_kept_when_the_helpdesk_was_away(office: Office, clock: Any) -> None:
    office.change(due_at=utc_now() + timedelta(hours=1))
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    office.desk.resolve(1)
    office.work()
    assert office.there() == []
    clock.shift(timedelta(hours=1))
    office.do()
    assert [there.state for there in office.there()] == ["closed"]
