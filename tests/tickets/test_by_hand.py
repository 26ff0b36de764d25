"""People open and link tickets, retry what failed, and settle what is unsure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.db import db, release, transaction
from portal.errors import InvalidInput, Refused
from portal.helpdesks.kind import Choice
from portal.models import Alert, AuditEntry, Ticket
from portal.models.tickets.ticket import TicketStatus
from portal.scope import all_tenants, limited_to
from portal.services.errands.execution import run_queued
from portal.services.errands.requests import get_errand
from portal.services.far_sides import BadFields, Entered
from portal.services.handling.retention import prune_told
from portal.services.helpdesks.changing import change_helpdesk
from portal.services.helpdesks.deleting import delete_helpdesk
from portal.services.helpdesks.probing import Lists, read_list, request_lists, request_probe
from portal.services.notices.far_sides import list_helpdesks
from portal.services.rules.changes import delete_rule
from portal.services.rules.file.content import write_content
from portal.services.rules.file.importing import apply_import
from portal.services.rules.listing import list_rules
from portal.services.rules.terms import TicketStep
from portal.services.rules.words import describe_steps
from portal.services.tickets.by_hand import HIDDEN, link_existing, open_by_hand, request_link
from portal.services.tickets.filters import TicketFilter
from portal.services.tickets.listing import list_of_alerts, list_unsettled, to_short
from portal.services.tickets.mending import Retried, retry
from portal.services.tickets.unsure import settle_unsure
from tests.helpdesks.simulated import Fault, Search
from tests.helpdesks.simulated_kind import SimulatedClient
from tests.tickets.conftest import Office
from tests.tickets.test_doing import cannot_find
from tests.web.world import make_asset

pytestmark = pytest.mark.one_database

OPEN, CLOSED, UNSURE = TicketStatus.OPEN, TicketStatus.CLOSED, TicketStatus.UNSURE


def alert_id(at: int = 0) -> int:
    found = db.session.scalars(select(Alert.id).order_by(Alert.id)).all()[at]
    db.session.rollback()
    return found


def step(office: Office, **values: Any) -> TicketStep:
    known: dict[str, Any] = {"helpdesk": office.helpdesk_id, "queue": "support"}
    return TicketStep(**known | values)


def test_one_opened_by_hand_lives_as_others_do(office: Office) -> None:
    office.desk.raise_alerts(1)
    office.work()
    open_by_hand(alert_id(), step(office, subject="{{ disk }}", body="Look at it."))
    office.do()
    [there] = office.there()
    assert there.subject == "{{ disk }}"
    assert there.body.startswith("Look at it.\n\nhttp")
    with pytest.raises(Refused, match="hangs on ticket 1001 in Desk already"):
        open_by_hand(alert_id(), step(office))
    [row] = list_of_alerts([alert_id()])[alert_id()]
    assert to_short(row) == {
        "ticket_ref": "1001",
        "ticket_url": there.url,
        "ticket_state": "open",
    }
    office.desk.resolve(1)
    office.work()
    assert there.state == "closed"
    with pytest.raises(Refused, match="over"):
        open_by_hand(alert_id(), step(office))
    with pytest.raises(InvalidInput):
        open_by_hand(alert_id(), step(office, queue=" "))


def test_one_that_is_there_is_linked_read_first_and_never_closed(office: Office) -> None:
    office.desk.raise_alerts(1)
    office.work()
    office.far.answer("POST", "/tickets", "anna", {"queue": "support", "subject": "Disks"})
    with pytest.raises(InvalidInput, match="There is no ticket 7"):
        link_existing(alert_id(), office.helpdesk_id, "7", by="anna@example.com")
    errand = request_link(alert_id(), office.helpdesk_id, "#1001")
    run_queued(errand.id)
    assert get_errand(errand.id).message == "The alert hangs on ticket 1001."
    office.do()
    assert office.said()[0].startswith("Again: Check failing: SRV-1")
    office.desk.resolve(1)
    office.work()
    assert (office.there()[0].state, office.ticket().status) == ("open", OPEN)


def test_what_failed_is_retried(office: Office) -> None:
    office.far.search = Search.IGNORES_KEY
    office.far.answer("POST", "/tickets", "anna", {"queue": "support"})
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    [unsettled], number = list_unsettled(10)
    row = unsettled.row
    assert (number, unsettled.since > row.ticket.created_at) == (1, True)
    assert row.state == "failed"
    office.desk.resolve(1)
    office.work()
    office.far.search = Search.WORKS
    with pytest.raises(InvalidInput, match="No ticket matches"):
        retry(TicketFilter(search="another"))
    assert retry(TicketFilter(state="attention")) == Retried(1, [])
    office.do()
    assert [there.state for there in office.there()] == ["open", "closed"]
    assert retry([row.ticket.id]).failures == ["Check failing: SRV-1: Nothing of it has failed."]


def settle(ticket_id: int, reference: str) -> str:
    """What a worker says of the number."""
    errand = settle_unsure(ticket_id, reference)
    assert errand is not None
    run_queued(errand.id)
    return get_errand(errand.id).message or ""


@pytest.mark.parametrize("is_there", [True, False])
def test_a_person_settles_what_is_unsure(office: Office, is_there: bool) -> None:
    cannot_find(office)
    office.far.plan = [Fault.LOSES_ANSWER if is_there else Fault.ERROR_BEFORE]
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    ticket = office.ticket()
    assert ticket.status is UNSURE
    office.change(due_at=None)
    if is_there:
        office.far.answer("POST", "/tickets", "anna", {"queue": "support", "key": "another-one"})
        assert settle(ticket.id, "9999").startswith("There is no ticket 9999")
        assert settle(ticket.id, "1002").startswith("Ticket 1002 is another one")
        assert office.ticket().status is UNSURE
        assert settle(ticket.id, "1001") == "This is ticket 1001."
        assert office.ticket().url
    else:
        assert settle_unsure(ticket.id, None) is None
    office.desk.resolve(1)
    office.work()
    assert office.there()[0].state == "closed"
    assert office.ticket().status is CLOSED
    with pytest.raises(Refused):
        settle_unsure(ticket.id, None)


def test_a_probe_proves_the_settings_and_a_change_takes_it_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.change(is_proven=False)
    errand = request_probe(office.helpdesk_id, "support")
    seen: list[int] = []
    comment = SimulatedClient.comment

    def look(*arguments: Any, **more: Any) -> None:
        seen.append(len(get_errand(errand.id).result["steps"]))
        release()
        comment(*arguments, **more)

    monkeypatch.setattr(SimulatedClient, "comment", look)
    run_queued(errand.id)
    assert seen == [3], "what was done by then is told while the rest is under way"
    found = get_errand(errand.id)
    assert (found.ok, [each["name"] for each in found.result["steps"]]) == (
        True,
        ["account", "search", "open", "comment", "close"],
    )
    assert office.helpdesk().is_proven
    with pytest.raises(BadFields) as caught:
        change_helpdesk(
            office.helpdesk_id, Entered(name="Desk", values={"url": "http://other.example"})
        )
    assert list(caught.value.problems) == ["token"]
    values = {"url": office.far.url + "/", "token": ""}
    change_helpdesk(office.helpdesk_id, Entered(name="Desk", values=values))
    assert not office.helpdesk().is_proven
    office.far.search = Search.FINDS_NOTHING
    errand = request_probe(office.helpdesk_id, "support")
    run_queued(errand.id)
    assert (get_errand(errand.id).ok, office.helpdesk().is_proven) == (False, False)


def test_a_ticket_of_another_client_is_none_of_theirs(office: Office) -> None:
    """The asset was that client's, and its outage has the ticket still."""
    client_id = office.add_client()
    office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    reference, alert = office.ticket().reference or "", alert_id()
    with transaction() as session:
        asset = make_asset(office.desk.integration_id, client_id, "srv-1")
        session.add(asset)
        session.flush()
        session.execute(update(Alert).values(asset_id=asset.id))
        outage = f"asset {asset.id} check 1"
        session.execute(update(Ticket).values(client_id=None, outage=outage))
    with limited_to([client_id]):
        with pytest.raises(Refused, match="of another client"):
            open_by_hand(alert, step(office))
        errand = request_link(alert, office.helpdesk_id, reference)
    run_queued(errand.id)
    assert (get_errand(errand.id).ok, get_errand(errand.id).message) == (False, HIDDEN)
    assert len(office.tickets()) == 1


def test_lists_are_asked_for_by_a_worker(office: Office) -> None:
    assert read_list(office.helpdesk_id, Lists.QUEUES) == []
    errand = request_lists(office.helpdesk_id)
    run_queued(errand.id)
    assert get_errand(errand.id).ok
    assert Choice("network", "Network team") in read_list(office.helpdesk_id, Lists.QUEUES)


def test_a_file_names_the_helpdesk_of_a_rule(office: Office) -> None:
    office.add_rule(per="asset")
    file = write_content()
    assert "helpdesk: Desk" in file
    done = apply_import(file.replace("queue: support", "queue: network").encode(), "anna")
    assert [line.name for line in done.changes] == ["Rule 1"]
    [rule] = list_rules()
    assert rule.steps.ticket == step(office, queue="network", per="asset")
    assert describe_steps(rule.steps, {}, {office.helpdesk_id: "Desk"}) == [
        "open a ticket in Desk, one for each asset"
    ]


def test_what_is_over_for_90_days_goes(office: Office, clock: Any) -> None:
    office.add_rule()
    office.desk.raise_alerts(1, 2)
    office.work()
    office.desk.resolve(1)
    office.work()
    clock.shift(timedelta(days=91))
    prune_told()
    assert [ticket.reference for ticket in office.tickets()] == ["1002"]


def test_one_that_fails_or_was_not_tried_is_a_notice(office: Office, clock: Any) -> None:
    office.add_rule()
    office.change(is_proven=False)
    office.desk.raise_alerts(1)
    office.work()
    with all_tenants():
        [sign] = list_helpdesks()
    assert "Tickets wait to be opened in Desk" in sign.text
    office.change(is_proven=True)
    office.far.choose = lambda: Fault.DOWN
    for _ in range(5):
        office.do()
        clock.shift(timedelta(minutes=5))
    with all_tenants():
        [sign] = list_helpdesks()
    assert "503" in sign.text


def test_a_helpdesk_that_a_rule_needs_stays_and_else_goes_with_its_tickets(office: Office) -> None:
    rule = office.add_rule()
    office.desk.raise_alerts(1)
    office.work()
    with pytest.raises(Refused, match="opens tickets in this helpdesk"):
        delete_helpdesk(office.helpdesk_id)
    delete_rule(rule)
    assert delete_helpdesk(office.helpdesk_id) == "Desk"
    assert office.tickets() == []
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert "helpdesk.deleted" in actions
