"""Pages as they are printed, and in colours that the system forces."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.one_database

STYLE = "(element, name) => getComputedStyle(element)[name]"


def test_paper_has_no_menu_and_whole_tables(design: str, page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 700, "height": 990})  # of A4, within its margins
    page.goto(design)
    for away in (".sidebar", ".topbar", ".page-actions", ".filter-bar", ".pager-links"):
        expect(page.locator(away).first).to_be_hidden()
    table = page.get_by_role("table", name="A list")
    expect(table.get_by_role("columnheader").first).to_be_visible()
    assert table.locator("thead").evaluate(STYLE, "display") == "table-header-group"
    assert page.locator("h1").evaluate(STYLE, "color") == "rgb(0, 0, 0)"


def test_forced_colours_leave_states_to_be_seen(design: str, page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(design)
    tick, dot = page.get_by_label("Ticked", exact=True), page.get_by_label("The first")
    for box in (tick, dot):
        ground = box.evaluate(STYLE, "backgroundColor")
        assert box.evaluate("e => getComputedStyle(e, '::before').borderBottomColor") != ground
    chosen, other = (page.locator(".chip").nth(number) for number in (0, 1))
    assert chosen.evaluate(STYLE, "borderColor") != other.evaluate(STYLE, "borderColor")
