"""Every page, wide and narrow, light and dark: accessible, and no wider than the window."""

from __future__ import annotations

from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.services.accounts.users import add_user
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.world import Place, make_place

pytestmark = pytest.mark.one_database

Scheme = Literal["light", "dark"]

EMAIL = "anna.of.the.long.name.and.of.many.departments@computers.acme-and-partners.example"
"""Has no place to break at, and is wider than a telephone."""
PASSWORD = "correct horse battery"
NO_PAGES = {
    "conflicts.show",
    "assets.export",
    "alerts.export",
    "audit.export",
    "clients.picker",
    "errands.show",
    "organizations.row",
    "rules.export",
    "software.export",
    "software.export_of_asset",
    "software.export_of_title",
    "sync_runs.progress",
    "tacticalrmm.test_progress",
}
"""Parts of pages, downloads, and what leads to another page."""


@pytest.fixture
def pages(app: Flask, acme: Place) -> list[str]:
    """Of a tenant with one of everything, and of one with nothing but a connection."""
    bare = make_place(app, "bare")
    with app.app_context():
        for place in (acme, bare):
            add_user(EMAIL, PASSWORD, place.slug, "owner")
    rules = [
        rule
        for rule in tenant_rules(app)
        if "GET" in methods(rule) and rule.endpoint not in NO_PAGES
    ]
    own = [address(rule, acme.slug, acme) for rule in rules]
    factors = [f"/account/second-factor/{page}" for page in ("", "app", "recovery-codes")]
    own += ["/account", *factors, "/tenants", "/nowhere"]
    return [*own, acme.url("assets/?q=nothing+like+it")]


# Colours do not depend on the width, nor sizes on the colours.
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_every_page(
    live_portal: str, page: Page, pages: list[str], scheme: Scheme, width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{live_portal}/sign-in")
    assert_accessible(page)
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_role("heading", name="Choose a tenant")).to_be_visible()
    titles = set()
    for path in pages:
        page.goto(live_portal + path)
        assert_accessible(page)
        assert_fits(page)
        titles.add(page.title())
        assert page.locator("h1").count() == 1
    assert len(titles) >= len(pages) - 2  # assets with a filter is still assets
