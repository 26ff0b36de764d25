"""Choosing alerts and acting on them, replaying, and accessibility, in a real browser."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from portal.db import transaction
from portal.models import Delivery
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.accounts.users import add_user
from portal.services.alerts import actions, portions
from portal.services.alerts.results import ActionResult
from tests.alerts.conftest import Msp
from tests.web.accessible import assert_accessible, assert_fits, in_each_look
from tests.web.worker import working

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "admin@acme.example", "a long enough password"
COLLEAGUE = "colleague@acme.example"


@pytest.fixture
def window(page: Page, msp: Msp, live_portal: str, redis_url: str) -> Iterator[Page]:
    """Signed in as an admin of the tenant, with a worker."""
    with msp.app.app_context():
        add_user(EMAIL, PASSWORD, msp.slug, "admin")
    page.goto(f"{live_portal}/sign-in")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_portal}{msp.url()}")
    with working(msp.app, redis_url):
        yield page


def visit(window: Page, msp: Msp, live_portal: str, path: str) -> None:
    window.goto(live_portal + msp.url(path))


def test_chosen_alerts_are_resolved_in_tactical(window: Page, msp: Msp, live_portal: str) -> None:
    pks = msp.raise_alerts(4)
    visit(window, msp, live_portal, "alerts/")
    resolve = window.get_by_role("button", name="Resolve")
    expect(resolve).to_be_hidden()  # there is nothing yet that it would resolve

    # By the keyboard alone.
    window.locator("[data-select]").nth(0).focus()
    window.keyboard.press("Space")
    window.locator("[data-select]").nth(1).focus()
    window.keyboard.press("Space")
    expect(window.get_by_text("2 selected")).to_be_visible()
    resolve.focus()
    window.keyboard.press("Enter")
    dialog = window.get_by_role("dialog", name="Resolve 2 alerts?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Resolve").press("Enter")

    expect(window.locator("#toasts")).to_contain_text("2 resolved.")
    expect(window.locator("[data-select]")).to_have_count(2)
    expect(window.locator("#status-any")).to_contain_text("4")
    assert sum(msp.truth(pk)["resolved"] for pk in pks) == 2
    assert_accessible(window)


def test_chosen_alerts_are_acknowledged_and_assigned(
    window: Page, msp: Msp, live_portal: str
) -> None:
    with msp.app.app_context():
        add_user(COLLEAGUE, PASSWORD, msp.slug, "technician")
    msp.raise_alerts(3)
    visit(window, msp, live_portal, "alerts/")
    rows = window.locator("tbody tr")
    for at in (0, 1):
        rows.nth(at).locator("[data-select]").check()
    window.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(window.locator("#toasts")).to_contain_text("2 alerts acknowledged.")
    expect(window.get_by_role("link", name="Unacknowledged 1")).to_be_visible()
    expect(window.get_by_text("acknowledged by admin", exact=True)).to_have_count(2)

    window.get_by_label("Select all").check()
    window.get_by_label("Assign to").select_option(label=COLLEAGUE)
    window.get_by_role("button", name="Assign to").click()
    expect(window.locator("#toasts")).to_contain_text("3 alerts assigned")
    expect(window.get_by_text("assigned to colleague", exact=True)).to_have_count(3)
    assert_accessible(window)


def test_what_failed_is_told_and_what_worked_too(
    window: Page, msp: Msp, live_portal: str, http: FlaskClient
) -> None:
    pks = msp.raise_alerts(2)
    msp.deliver(http, agent_id=msp.agents[2], event="trigger", severity="error")
    msp.process()
    visit(window, msp, live_portal, "alerts/")
    window.get_by_label("Select all").check()
    expect(window.get_by_text("3 selected")).to_be_visible()
    window.get_by_label("Snooze for").last.select_option("7d")
    window.get_by_role("button", name="Snooze for").click()

    told = window.locator("#alert-result")
    expect(told).to_contain_text("2 snoozed, 1 failed")
    expect(told).to_contain_text("had no alert id")
    expect(window.locator("[data-select]")).to_have_count(1)
    assert [msp.truth(pk)["snoozed"] for pk in pks] == [True, True]
    assert_accessible(window)

    told.get_by_role("button", name="Undo").click()
    expect(window.locator("#toasts")).to_contain_text("2 active again.")
    assert [msp.truth(pk)["snoozed"] for pk in pks] == [False, False]


def test_saying_no_does_nothing(window: Page, msp: Msp, live_portal: str) -> None:
    [pk] = msp.raise_alerts(1)
    visit(window, msp, live_portal, f"alerts/{msp.alert(pk).id}")
    window.get_by_role("button", name="Resolve").click()
    window.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert not msp.truth(pk)["resolved"]
    assert_accessible(window)

    window.get_by_role("button", name="Resolve").click()
    window.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    expect(window.locator("#toasts")).to_contain_text("1 resolved.")
    expect(window.locator("[data-errand]")).to_have_count(0)
    expect(window.locator("#main")).to_contain_text("Resolved")
    expect(window.get_by_role("button", name="Resolve")).to_have_count(0)
    assert msp.truth(pk)["resolved"]


def test_what_takes_long_is_stopped_where_its_progress_is_shown(
    window: Page, msp: Msp, live_portal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed, act, turns = threading.Event(), actions.act, itertools.count()

    def wait_and_act(*args: Any, **more: Any) -> ActionResult:
        if next(turns):
            pressed.wait(30)
        return act(*args, **more)

    monkeypatch.setattr(portions, "PORTION", 1)
    monkeypatch.setattr(portions, "act", wait_and_act)
    pks = msp.raise_alerts(3)
    visit(window, msp, live_portal, "alerts/")
    window.get_by_label("Select all").check()
    window.get_by_role("button", name="Resolve").click()
    window.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    told = window.locator("#alert-result")
    expect(told).to_contain_text("1 of 3 alerts")
    assert_accessible(window)
    told.get_by_role("button", name="Stop: Resolve 3 alerts").click()
    expect(told).to_contain_text("Stopping…")
    pressed.set()

    expect(told).to_contain_text(f"Stopped by {EMAIL} after 2 of 3: 2 resolved.")
    expect(window.locator("[data-select]")).to_have_count(1)
    assert sum(msp.truth(pk)["resolved"] for pk in pks) == 2
    assert_accessible(window)


def test_failed_deliveries_are_replayed(
    window: Page, msp: Msp, live_portal: str, http: FlaskClient
) -> None:
    pk = msp.raise_alert()
    delivery_id = msp.deliver(http, agent_id=msp.agents[0], alert_id=str(pk), event="trigger")
    msp.deliver_bytes(http, b"nonsense")
    with msp.scope(), transaction() as session:
        delivery = session.get_one(Delivery, delivery_id)
        delivery.status, delivery.reason = DeliveryStatus.FAILED, "Tactical was away."
    visit(window, msp, live_portal, "deliveries/")
    expect(window.get_by_text("Tactical was away.")).to_be_visible()
    assert_accessible(window)
    window.get_by_role("button", name="Process the failed one again").click()

    row = window.locator(f"#delivery-{delivery_id}")
    expect(row).to_contain_text("Processed")
    expect(row).to_contain_text("The alert is active.")
    window.get_by_role("button", name=f"Process call {delivery_id + 1} again").click()
    expect(window.locator("#toasts")).to_contain_text("The call still cannot be used.")

    row.get_by_role("rowheader").get_by_role("link").click()
    expect(window.get_by_role("region", name="Content as received")).to_be_visible()
    assert_accessible(window)


def test_the_pages_are_accessible_and_fit(
    window: Page, msp: Msp, live_portal: str, http: FlaskClient
) -> None:
    for path in ("alerts/", "deliveries/"):  # empty
        visit(window, msp, live_portal, path)
        for _ in in_each_look(window):
            assert_accessible(window)
    pks = [msp.raise_alert(at, message="long " * 60) for at in range(3)]
    msp.deliver(http, agent_id=msp.agents[0], alert_id=str(pks[0]), event="trigger")
    msp.deliver_bytes(http, b"x" * 5000)
    msp.process()
    msp.sync()
    alert = msp.alert(pks[0])
    for path in (
        "alerts/",
        "alerts/?status=any",
        "alerts/?q=nothing-like-it",
        f"alerts/{alert.id}",
        "deliveries/",
        "deliveries/2",
        f"assets/{alert.asset_id}",
        "",
    ):
        visit(window, msp, live_portal, path)
        for _ in in_each_look(window):
            assert_accessible(window)
            assert_fits(window)
