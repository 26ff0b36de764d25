"""What a page shows is gone when its session has ended: in a real browser."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.services.accounts.users import add_user
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
THREE_HOURS = 3 * 3600 * 1000


def test_pages_that_are_open_are_cleared(
    app: Flask, live_portal: str, page: Page, acme: Place
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    page.goto(f"{live_portal}/sign-in")
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    assets, alerts = page.context.new_page(), page.context.new_page()
    alerts.clock.install()
    for tab, path in ((assets, "assets/"), (alerts, "alerts/")):
        tab.goto(live_portal + acme.url(path))
        expect(tab.get_by_role("heading", level=1)).to_be_visible()
        tab.wait_for_load_state()

    alerts.route("**/session", lambda route: route.abort())  # the portal is out of reach
    alerts.clock.fast_forward(THREE_HOURS)
    expect(alerts.locator("body")).to_have_text(
        "You are signed out. Reload this page to sign in again."
    )
    assert assets.get_by_role("heading", level=1).is_visible()

    page.get_by_label("Account", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(assets.get_by_role("heading", name="Sign in")).to_be_visible()
