"""Installing the webhook in Tactical and taking it back, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.models.alerts.alert import AlertStatus
from portal.models.webhook.installation import InstallationAction
from portal.services.accounts.users import add_user
from portal.services.alerts import listing
from portal.services.alerts.filters import AlertFilter
from portal.services.deliveries import processing
from portal.services.webhook import installation, keys
from tactical_simulator import SimulatedTactical
from tests.support.webhooks import Msp, make_msp
from tests.web.accessible import Scheme, assert_accessible, assert_fits, show_as
from tests.web.worker import working

pytestmark = pytest.mark.one_database

PAGE = "/t/acme/integrations/tacticalrmm/webhook/"
PATIENCE_MS = 30_000
EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical, live_portal: str, redis_url: str) -> Iterator[Msp]:
    made = make_msp(app, tactical, live_portal)
    with app.app_context():
        add_user(EMAIL, PASSWORD, "acme", "admin")
    with working(app, redis_url):
        yield made


@pytest.fixture
def window(msp: Msp, page: Page) -> Page:
    page.goto(f"{msp.portal}/sign-in")
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{msp.portal}/t/acme/")
    page.goto(msp.portal + PAGE)
    return page


def test_installed_tested_and_removed_from_the_page(msp: Msp, window: Page) -> None:
    before = msp.everything()
    window.get_by_label("As the server's default").check()
    window.get_by_role("button", name="Preview the changes").click()
    expect(window.locator(".plan-create")).to_have_count(4)
    assert msp.everything() == before

    window.get_by_role("button", name="Install in Tactical").click()
    expect(window.get_by_text("Installed. Tactical's test call arrived.").first).to_be_visible(
        timeout=30_000
    )
    window.get_by_role("link", name="Test call #1").click()
    expect(window.get_by_text("A test call", exact=True)).to_be_visible()

    agent = msp.tactical.control.agents.ids()[0]
    pk = msp.tactical.control.alerts.trigger(agent)
    with msp.scope():
        processing.process_due()
    window.goto(msp.portal + PAGE)
    expect(window.get_by_text("The last call arrived")).to_be_visible()
    window.goto(f"{msp.portal}/t/acme/alerts/")
    expect(window.locator("#main")).to_contain_text("1 alert")
    assert pk is not None
    msp.tactical.control.alerts.resolve(pk)
    with msp.scope():
        processing.process_due()
        [found] = listing.list_alerts(AlertFilter()).items
        assert found.alert.status is AlertStatus.RESOLVED

    window.goto(msp.portal + PAGE)
    window.get_by_role("button", name="Remove…").click()
    window.get_by_role("button", name="Remove from Tactical").click()
    expect(window.get_by_text("Removed. Tactical is as it was before.").first).to_be_visible(
        timeout=30_000
    )
    assert msp.everything() == before


def test_organizations_are_chosen_and_the_secret_revealed(msp: Msp, window: Page) -> None:
    with msp.scope():
        installation.run_now(InstallationAction.TEST, msp.wanted())
    window.reload()
    expect(window.locator(".for-clients")).to_be_hidden()
    window.get_by_label("For chosen organizations").check()
    window.locator(".check-list input").nth(1).check()
    window.get_by_role("button", name="Preview the changes").click()
    expect(window.locator(".plan-choose")).to_have_count(1)

    with msp.scope():
        secret = keys.reveal()
    window.get_by_role("button", name="Reveal").click()
    expect(window.locator("[data-secret]")).to_have_text(secret)


def test_everybody_can_use_it(msp: Msp, window: Page) -> None:
    """As it is with everything shown: installed, the preview of a removal, the secret."""
    msp.install("default")
    window.set_viewport_size({"width": 390, "height": 844})
    window.reload()
    window.get_by_role("button", name="Reveal").click()
    expect(window.locator("[data-secret]")).to_be_visible()
    window.get_by_role("button", name="Remove…").click()
    expect(window.get_by_role("button", name="Remove from Tactical")).to_be_visible()

    schemes: tuple[Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        show_as(window, scheme, 390)
        assert_accessible(window)
        assert_fits(window)
