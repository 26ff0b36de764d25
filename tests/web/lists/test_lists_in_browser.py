"""Lists on a telephone and on a desk, and views of them, in a real browser."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Asset
from portal.scope import tenant_scope
from tests.web.accessible import assert_accessible, assert_fits, list_spills, wait_until_still
from tests.web.test_in_browser import sign_in
from tests.web.world import Place

pytestmark = pytest.mark.one_database

TWO_LINES = 40
"""Pixels."""


def assert_kept_while_read_again(page: Page, portal: str, place: Place) -> None:
    """A menu that is open, a name that is half typed and rows that are ticked, on lists that read
    themselves again."""
    name, menu = page.get_by_label("Name of the view"), page.get_by_text("Save view", exact=True)
    for path, news in (
        ("deliveries/", "deliveries-changed"),
        ("alerts/", "sync-finished"),
        ("assets/", "sync-finished"),
        ("sync-runs/", "sync-finished"),
    ):
        page.goto(portal + place.url(path))
        boxes = page.locator("[data-select]")
        if boxes.count():
            boxes.first.check()
        menu.first.click()
        name.press_sequentially("Half a na")
        with page.expect_event("requestfinished"):
            page.evaluate(f"document.body.dispatchEvent(new Event('{news}'))")
        wait_until_still(page)
        expect(name).to_be_focused()
        name.press_sequentially("me")
        expect(name, path).to_have_value("Half a name")
        if boxes.count():
            expect(boxes.first).to_be_checked()
            expect(page.get_by_text("1 selected")).to_be_attached()


def test_a_view_of_a_list_is_kept_and_its_head_stays_in_sight(
    live_portal: str, page: Page, many: Place
) -> None:
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_portal + many.url("assets/"))
    page.get_by_label("Search assets").fill("workstation-000")
    rows = page.get_by_role("table", name="Assets").locator("tbody tr")
    expect(rows).to_have_count(10)
    page.get_by_text("Save view", exact=True).first.click()
    page.get_by_label("Name of the view").fill("First ten")
    assert_accessible(page)
    page.get_by_role("button", name="Save view").click()
    main = page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="First ten")).to_have_attribute("aria-current", "page")
    assert_kept_while_read_again(page, live_portal, many)
    page.goto(live_portal + many.url("assets/?q=workstation-000"))
    expect(rows).to_have_count(10)

    page.get_by_text("Display", exact=True).click()
    page.get_by_label("Agent id").check()
    page.get_by_label("Compact").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("body")).to_have_attribute("data-density", "compact")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.get_by_role("button", name="Copy Agent id").first
    copy.click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == copy.get_attribute("data-copy")

    main.get_by_role("link", name="Assets").click()
    expect(rows).to_have_count(50)

    main.get_by_role("link", name="All views").click()
    expect(page.get_by_role("heading", name="Views", level=1)).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Delete First ten").click()
    expect(main.get_by_role("link", name="First ten")).to_have_count(0)
    page.get_by_role("region", name="Notifications").get_by_role("button", name="Undo").click()
    expect(main.get_by_role("link", name="First ten")).to_be_visible()
    expect(page.get_by_text("First ten is back.").last).to_be_visible()


TWO_LINES = 40
"""Pixels."""


def test_a_system_takes_one_line(app: Flask, live_portal: str, page: Page, many: Place) -> None:
    version = "10 Enterprise LTSC 2021, 64 bit v21H2 (build 19044.5131)"
    with app.app_context(), tenant_scope(many.id), transaction() as session:
        session.execute(update(Asset).values(os_type="Windows", os_version=version))
    sign_in(page, live_portal)
    for width in (1200, 1300, 1431, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(live_portal + many.url("assets/?q=workstation"))
        system = page.locator("main tbody td:has(.system-version)").first
        expect(system).to_have_attribute("title", f"Windows {version}")
        assert system.evaluate("cell => cell.offsetHeight") < TWO_LINES, width
        assert not list_spills(page), width


def test_from_one_asset_of_a_list_to_the_next_by_keyboard(
    live_portal: str, page: Page, many: Place
) -> None:
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_portal + many.url("assets/?q=workstation-000&sort=-name"))
    page.get_by_role("link", name="workstation-0008").click()
    steps = page.get_by_role("navigation", name="Assets of the list")
    expect(steps.get_by_role("link", name="2 of 10")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="workstation-0007", level=1)).to_be_visible()
    page.get_by_role("link", name="Alerts", exact=True).last.focus()
    page.keyboard.press("Enter")
    alerts = page.get_by_role("table", name="Alerts").locator("tbody tr")
    expect(alerts).to_have_count(1)
    page.get_by_role("link", name=re.compile("^Resolved")).click()
    expect(page.get_by_role("heading", name="No alert matches the filters")).to_be_visible()
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="Alerts of workstation-0008")).to_be_visible()
    expect(alerts).to_have_count(1)

    page.get_by_role("link", name="Overview").click()
    page.get_by_label("New tag").fill("Night shift")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag night-shift")).to_be_visible()
    page.get_by_role("link", name="Write a note").click()
    page.get_by_label("Note", exact=True).fill("At the desk, see https://wiki.example.com")
    page.get_by_role("button", name="Save note").click()
    note = page.get_by_role("region", name="Note")
    expect(note.get_by_role("link", name="https://wiki.example.com")).to_be_visible()
    assert_accessible(page)
    steps.get_by_role("link", name="2 of 10").click()
    expect(page).to_have_url(re.compile(r"/assets/\?q=workstation-000&sort=-name$"))


def test_many_assets_are_tagged_and_retired_and_it_is_undone(
    app: Flask, live_portal: str, page: Page, many: Place
) -> None:
    with app.app_context(), tenant_scope(many.id), transaction() as session:
        gone = update(Asset).where(Asset.name.startswith("workstation-000"))
        session.execute(gone.values(missing_since=utc_now()))
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 1440, "height": 900})
    notices = page.get_by_role("region", name="Notifications")
    page.goto(live_portal + many.url("assets/"))
    rows = page.get_by_role("table", name="Assets").locator("tbody tr")
    page.get_by_label("Select: workstation-0010").check()
    page.get_by_label("Select: workstation-0012").click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Tag", exact=True).fill("backup")
    page.get_by_role("button", name="Add tag").click()
    expect(notices.get_by_text("Tagged 3 assets backup.")).to_be_visible()
    expect(rows.get_by_text("backup")).to_have_count(3)
    assert_accessible(page)
    notices.get_by_role("button", name="Undo").click()
    expect(notices.get_by_text("Undone: tagged 3 assets backup.")).to_be_visible()
    expect(rows.get_by_text("backup")).to_have_count(0)  # the page has read its rows again

    page.get_by_label("Select: workstation-0010").check()
    page.get_by_role("combobox", name="Client for those selected").fill("number 7")
    page.get_by_role("option", name=re.compile("number 7\\b")).click()
    page.get_by_role("button", name="Give to client").click()
    expect(notices.get_by_text(re.compile("^1 asset went to A client .* number 7"))).to_be_visible()
    row = rows.filter(has_text="workstation-0010")
    expect(row).to_contain_text("number 7")
    page.locator("h1").click()
    page.keyboard.press("u")
    expect(notices.get_by_text(re.compile("^Undone: "))).to_be_visible()
    expect(row).to_contain_text("number 10")

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_portal + many.url("assets/?status=missing"))
    page.get_by_label("Select: workstation-0003").check()
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("button", name="Retire").click()
    expect(notices.get_by_text("Retired workstation-0003.")).to_be_visible()
    expect(rows).to_have_count(9)
    notices.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(10)


def test_a_view_is_saved_without_scripts(live_portal: str, browser: Browser, many: Place) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_portal)
    page.goto(live_portal + many.url("assets/?q=workstation-000"))
    page.get_by_text("Save view", exact=True).first.click()
    page.get_by_label("Name of the view").fill("First ten")
    page.get_by_role("button", name="Save view").click()
    expect(page).to_have_url(re.compile(r"q=workstation-000&view=\d+$"))
    page.get_by_role("link", name="All views").click()
    page.get_by_role("button", name="Delete First ten").click()
    page.get_by_role("button", name="Bring back First ten").click()
    expect(page.get_by_role("link", name="First ten").first).to_be_visible()
    context.close()
