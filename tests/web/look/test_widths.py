"""What stands above a table is as wide as the table."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from portal.services.accounts.users import add_user
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


def test_the_tools_of_organizations_end_where_their_table_ends(
    app: Flask, acme: Place, live_portal: str, page: Page
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(live_portal + acme.url("organizations/"))
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    tools = page.locator("#organization-tools")
    expect(tools).to_be_visible()
    assert right_of(tools) == pytest.approx(right_of(page.locator(".mapping")), abs=1)


def right_of(part: Locator) -> float:
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"]
