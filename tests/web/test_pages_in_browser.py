"""Every page, wide and narrow, light and dark: accessible, and no wider than the window."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.routing import Rule

from portal.clock import day_of, utc_now
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.assets.daily_counts import COLUMNS
from portal.services.assets.nightly_counts import keep_counts
from tests.web.accessible import (
    LOOKS,
    OTHER_LOOKS,
    assert_accessible,
    assert_fits,
    assert_lists_fit,
    assert_outlined,
    assert_right_in_each_look,
    in_each_look,
)
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.world import Place, make_place

pytestmark = pytest.mark.one_database

EMAIL = "anna.of.the.long.name.and.of.many.departments@computers.acme-and-partners.example"
"""Has no place to break at, and is wider than a telephone."""
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
PASSWORD = "correct horse battery"
NO_PAGES = {
    "conflicts.show",
    "assets.export",
    "alerts.export",
    "audit.export",
    "clients.export",
    "clients.picker",
    "clients.report_file",
    "errands.show",
    "organizations.export",
    "rules.export",
    "saved_views.show",
    "software.export",
    "assets.export_software_of",
    "software.export_of_product",
    "sync_runs.progress",
    "tacticalrmm.test_progress",
    "tickets.export",
}
"""Parts of pages, downloads, and what leads to another page."""


PARTS = 4
"""Of the areas: one test each, which several processes share among themselves."""


@pytest.fixture
def pages(app: Flask, acme: Place) -> list[list[str]]:
    """Of a tenant with one of everything, and of one with nothing but a connection; by part."""
    bare = make_place(app, "bare")
    with app.app_context():
        for place in (acme, bare):
            add_user(EMAIL, PASSWORD, place.slug, "owner")
        remember_days(acme)
    rules = [
        rule
        for rule in tenant_rules(app)
        if "GET" in methods(rule) and rule.endpoint not in NO_PAGES
    ]
    areas = sorted({area(rule) for rule in rules})
    parts = [
        [address(rule, acme.slug, acme) for rule in rules if area(rule) in areas[part::PARTS]]
        for part in range(PARTS)
    ]
    factors = [f"/account/second-factor/{page}" for page in ("", "app", "recovery-codes")]
    parts[0] += ["/account", *factors, "/tenants", "/nowhere", "/help/guide"]
    parts[0] += [acme.url("assets/?q=nothing+like+it"), acme.url("alerts/?status=any")]
    return parts


def remember_days(place: Place) -> None:
    """So that the pictures of days have some."""
    with tenant_scope(place.id):
        for ago in range(1, 30, 3):
            keep_counts(
                day_of(utc_now()) - timedelta(days=ago), {place.client: dict.fromkeys(COLUMNS, ago)}
            )


def area(rule: Rule) -> str:
    name: str = rule.endpoint.partition(".")[0]
    return name


def sign_in(page: Page, portal: str, look: Callable[[Page], None] = lambda _page: None) -> None:
    """By the form; `look` sees each page on the way."""
    page.goto(f"{portal}/sign-in")
    look(page)
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_role("heading", name="Choose a tenant")).to_be_visible()


def test_the_way_in(live_portal: str, page: Page, pages: list[list[str]]) -> None:
    sign_in(page, live_portal, assert_right_in_each_look)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page(live_portal: str, page: Page, pages: list[list[str]], part: int) -> None:
    sign_in(page, live_portal)
    assert pages[part]
    for path, looks in zip(pages[part], cycle((LOOKS, OTHER_LOOKS)), strict=False):
        page.goto(live_portal + path)
        assert_right_in_each_look(page, looks)  # of one page both would take twice as long
        assert page.title()
        assert_lists_fit(page)
        assert_outlined(page)


def test_a_table_of_help_is_moved_sideways_before_its_words_are_broken(
    live_portal: str, page: Page, pages: object
) -> None:
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_portal}/help/people")
    table = page.get_by_role("table").first
    narrowest = "rows => Math.min(...rows.map((row) => row.cells[0].clientWidth))"
    assert table.locator("tbody tr").evaluate_all(narrowest) >= 100
    assert_fits(page)


def test_menus_that_are_open(live_portal: str, page: Page, pages: object, acme: Place) -> None:
    """Of an account, of tenants, of columns, of views, of past days and of maintenance."""
    sign_in(page, live_portal)
    opened = set()
    for path in ("assets/", f"clients/{acme.client}"):
        page.goto(live_portal + acme.url(path))
        for _ in in_each_look(page):
            for menu in page.locator("details.menu > summary:visible").all():
                menu.click()
                expect(page.locator("details.menu[open] > .dropdown-menu")).to_be_visible()
                assert_accessible(page, "details.menu[open]")
                assert_fits(page)
                opened.add(menu.get_attribute("aria-label") or menu.inner_text())
                page.keyboard.press("Escape")
                expect(page.locator("details.menu[open]")).to_have_count(0)
    assert {"Account", "Display", "Save view", "Past day"} <= opened
    assert len(opened) >= 6


def test_each_has_a_title_of_its_own(live_portal: str, page: Page, pages: list[list[str]]) -> None:
    sign_in(page, live_portal)
    paths = [path for part in pages for path in part]
    titles = set()
    for path in paths:
        found = TITLE.search(page.request.get(live_portal + path).text())
        assert found, path
        titles.add(" ".join(found[1].split()))
    assert (
        len(titles) >= len(paths) - 4
    )  # a list with a filter is that list, a title leads to its product
