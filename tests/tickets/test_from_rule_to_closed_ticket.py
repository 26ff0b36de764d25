"""From a helpdesk that is added to an alert whose ticket somebody closes there."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.helpdesks import KINDS
from tactical_simulator import SimulatedTactical
from tests.alerts.test_reaching_somebody import (
    HOME,
    PATIENCE_SECONDS,
    admin,
    connect,
    find_server,
    install_webhook,
    tenant,
)
from tests.helpdesks.benches import HTTP_SETTINGS
from tests.helpdesks.simulated import TOKEN, SimulatedHelpdesk, simulated
from tests.helpdesks.simulated import Ticket as There

__all__ = ["admin", "tenant"]

pytestmark = pytest.mark.one_database


@pytest.fixture
def far() -> Iterator[SimulatedHelpdesk]:
    with simulated() as helpdesk:
        yield helpdesk


def add_helpdesk(admin: Page, live_portal: str, far: SimulatedHelpdesk) -> None:
    admin.goto(f"{live_portal}{HOME}helpdesks/new/http")
    admin.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    entered = {"name": "Desk", "url": far.url, "headers": f"Authorization: Bearer {TOKEN}"}
    offered = {each.name: each.default for each in KINDS["http"].fields}
    described = {name: text for name, text in HTTP_SETTINGS.items() if text != offered[name]}
    for name, text in {**described, **entered}.items():
        admin.locator(f"#{name}").fill(text)
    admin.get_by_role("button", name="Add helpdesk").click()
    expect(admin.get_by_text("no ticket is opened before that.").first).to_be_visible()


def prove(admin: Page) -> None:
    admin.get_by_label("Queue", exact=True).fill("support")
    admin.get_by_role("button", name="Test helpdesk").click()
    expect(admin.get_by_text("Tickets are opened from now on.").first).to_be_visible()


def name_customer(admin: Page) -> None:
    admin.get_by_role("link", name="Customers", exact=True).click()
    admin.get_by_label("Customer for Contoso").fill("Customer 7")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_text("Saved 1 client.").first).to_be_visible()
    expect(admin.get_by_label("Customer for Contoso")).to_have_value("Customer 7")


def add_rule(admin: Page, live_portal: str) -> None:
    """That only opens a ticket, in words of its own."""
    admin.goto(f"{live_portal}{HOME}rules/new")
    admin.get_by_label("Name", exact=True).fill("Tickets of servers")
    expect(admin.get_by_label("Queue", exact=True)).to_be_hidden()
    admin.get_by_label("Open a ticket in").select_option("Desk")
    admin.get_by_label("Queue", exact=True).fill("Support")
    admin.get_by_label("One ticket for").select_option("each asset")
    admin.get_by_label("Subject").fill("{{ client }}: {{ hostname }} is silent")
    admin.get_by_role("button", name="Try on the last 30 days").click()
    expect(admin.get_by_text("open a ticket in Desk, one for each asset")).to_be_visible()
    admin.get_by_role("button", name="Save and switch on").click()
    expect(admin.get_by_text("Added Tickets of servers.").first).to_be_visible()


def wait_for_ticket(far: SimulatedHelpdesk, after: int) -> There:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(far.tickets) <= after:
        assert time.monotonic() < give_up, "No ticket was opened."
        time.sleep(0.05)
    return list(far.tickets.values())[-1]


def reload_until(page: Page, text: str) -> None:
    """A page does not change by itself."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not page.get_by_text(text).first.is_visible():
        assert time.monotonic() < give_up, f"Nothing says “{text}”."
        page.reload()


def test_from_a_helpdesk_to_a_ticket_that_is_closed_there(
    app: Flask,
    tenant: int,
    admin: Page,
    tactical: SimulatedTactical,
    live_portal: str,
    far: SimulatedHelpdesk,
) -> None:
    connect(admin, tactical)
    install_webhook(admin, live_portal)
    add_helpdesk(admin, live_portal, far)
    prove(admin)
    called = admin.get_by_text(re.compile("/api/webhooks/helpdesk/")).first.inner_text()
    name_customer(admin)
    add_rule(admin, live_portal)

    of_tests = len(far.tickets)
    pk = tactical.control.alerts.trigger(find_server(app, tenant), "availability")
    assert pk is not None
    ticket = wait_for_ticket(far, of_tests)
    assert (ticket.queue, ticket.customer) == ("support", "c7")
    assert re.fullmatch(r"Contoso: \S+ is silent", ticket.subject)
    assert len(far.tickets) == of_tests + 1

    admin.goto(f"{live_portal}{HOME}alerts/")
    admin.get_by_role("table").get_by_role("rowheader").get_by_role("link").first.click()
    reload_until(admin, f"Desk #{ticket.id}")

    far.set_state(str(ticket.id), "closed")
    assert admin.request.post(live_portal + urlsplit(called).path).status == 202
    reload_until(admin, f"anna closed ticket {ticket.id} in Desk.")
    expect(admin.get_by_text(f"Closed in Desk: ticket {ticket.id}.").first).to_be_visible()
