"""Cards are as wide as what they hold, and what stands above a table as wide as the table."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from portal.clock import utc_now
from portal.db import transaction
from portal.models import AlertHandling, AlertRule, AssetChange
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
LONG_RULE = "Workstations that are switched off"


def open_page(app: Flask, place: Place, portal: str, page: Page, path: str, width: int) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, place.slug, "admin")
    page.set_viewport_size({"width": width, "height": 1080})
    page.goto(portal + place.url(path))
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_the_tools_of_organizations_end_where_their_table_ends(
    app: Flask, acme: Place, live_portal: str, page: Page
) -> None:
    open_page(app, acme, live_portal, page, "organizations/", 1920)
    tools = page.locator("#organization-tools")
    expect(tools).to_be_visible()
    assert right_of(tools) == pytest.approx(right_of(page.locator(".mapping")), abs=1)


@pytest.mark.parametrize("query", ["", "?q=nothing"])
def test_a_list_of_little_is_narrow_with_its_tools_at_its_edge(
    app: Flask, acme: Place, live_portal: str, page: Page, query: str
) -> None:
    open_page(app, acme, live_portal, page, f"tickets/{query}", 1920)
    card = page.locator("#ticket-rows > .card")
    expect(card).to_be_visible()
    assert right_of(card) == pytest.approx(right_of(page.locator(".list-tools")), abs=1)
    assert right_of(card) < right_of(page.locator(".page-header")) - 200


def test_the_tools_of_software_stand_beside_its_filters(
    app: Flask, acme: Place, live_portal: str, page: Page
) -> None:
    open_page(app, acme, live_portal, page, "software/", 1440)
    tools = page.locator(".list-tools")
    expect(tools).to_be_visible()
    box = tools.bounding_box()
    assert box
    assert box["x"] > right_of(page.locator(".filter-bar select"))


def test_the_name_of_a_rule_is_whole_beside_its_alert(
    app: Flask, acme: Place, live_portal: str, page: Page
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(AlertRule, acme.rule).name = LONG_RULE
        decided = {"rule_id": acme.rule, "rule_name": LONG_RULE, "state": "ignored"}
        session.add(AlertHandling(alert_id=acme.alert, occurrence=1, began_at=utc_now(), **decided))
    open_page(app, acme, live_portal, page, "alerts/", 1440)
    words = page.locator("td.col-handling .handling")
    expect(words).to_contain_text(LONG_RULE)
    for part in (words, words.locator(".clip")):
        assert part.evaluate("e => e.scrollWidth <= e.clientWidth || e.clientWidth === 0")
        assert part.evaluate("e => e.scrollHeight <= e.clientHeight || e.clientHeight === 0")


def test_no_mark_in_a_history_is_cut_on_a_telephone(
    app: Flask, acme: Place, live_portal: str, page: Page
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(
            AssetChange(asset_id=acme.asset, at=utc_now(), action="created", cause="command")
        )
    open_page(app, acme, live_portal, page, f"assets/{acme.asset}/history", 390)
    mark = page.locator(".history-table .state").first
    expect(mark).to_be_visible()
    assert mark.evaluate("e => e.scrollWidth <= e.clientWidth")


def right_of(part: Locator) -> float:
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"]
