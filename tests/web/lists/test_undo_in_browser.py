"""The message that offers to undo: how long it stays, and that nothing lies below it."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.services.accounts.users import add_user
from portal.services.undo.offers import VALID_FOR
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.world import Place

pytestmark = pytest.mark.one_database

TELL = """(message) => document.body.dispatchEvent(new CustomEvent("toast", {
    detail: { category: "success", message, undo: { url: "/t/acme/undo/1" } },
}))"""
END_OF_PAGE = """() => {
    window.scrollTo(0, document.documentElement.scrollHeight);
    return document.querySelector("main").lastElementChild.getBoundingClientRect().bottom;
}"""
A_WHILE = 21_000


def test_the_last_offer_stays_as_long_as_it_is_valid_and_covers_nothing(
    app: Flask, live_portal: str, page: Page, acme: Place
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    sign_in(page, live_portal)
    page.clock.install()
    page.goto(live_portal + acme.url(f"assets/{acme.asset}"))
    first, second = (page.locator(".notice-toast", has_text=word) for word in ("One", "Another"))
    page.evaluate(TELL, "One asset was tagged with quite a long word.")
    whole = first.bounding_box()
    page.clock.fast_forward(A_WHILE)
    line = first.bounding_box()
    assert whole
    assert line
    assert line["height"] <= whole["height"]
    assert line["width"] < whole["width"]
    expect(first.get_by_role("button", name="Undo")).to_be_visible()

    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        box, end = first.bounding_box(), page.evaluate(END_OF_PAGE)
        assert box
        assert end <= box["y"], width
        assert_fits(page)
    assert_accessible(page)

    page.evaluate(TELL, "Another was.")
    page.clock.fast_forward(A_WHILE)
    expect(first).to_have_count(0)
    expect(second.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.fast_forward(VALID_FOR.seconds * 1000)
    expect(second).to_have_count(0)
