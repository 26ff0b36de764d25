"""What holds of every list, on a telephone and on a desk, in a real browser."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.web.accessible import DESKS, assert_accessible, assert_fits, list_spills
from tests.web.lists.every_list import LEAST, list_pages, make_more_lists, sign_in_as_owner
from tests.web.test_in_browser import sign_in
from tests.web.world import Place

pytestmark = pytest.mark.one_database

IN_VIEW = """() => [...document.querySelectorAll("main tbody tr, main .folded")].filter((row) => {
    const box = row.getBoundingClientRect();
    return box.height >= 24 && box.top >= 0 && box.bottom <= innerHeight;
}).length"""
OUT_OF_SIGHT = """() => {
  const within = (box) => box.left >= 0 && box.right <= innerWidth;
  return [...document.querySelectorAll("#page-actions .btn")]
    .filter((button) => button.checkVisibility())
    .filter((button) => !within(button.getBoundingClientRect()))
    .map((button) => button.textContent.trim());
}"""
"""What can be done with a page as a whole, and does not show."""
HEAD_IS_SEEN = """() => {
    const head = document.querySelector("main thead th:not(.col-select)");
    const box = head.getBoundingClientRect();
    return head.contains(document.elementFromPoint(box.left + 8, box.top + box.height / 2));
}"""
"""Nothing lies upon it, and it has not been scrolled away."""
LISTS = (
    *("assets/", "alerts/", "clients/", "software/", "sync-runs/", "tickets/", "activity/"),
    *("deliveries/", "audit/", "organizations/"),
    *("plans/{plan}", "assets/{asset}/history"),
)


def test_a_telephone_shows_eight_rows_of_every_list(
    app: Flask, live_portal: str, page: Page, many: Place
) -> None:
    make_more_lists(app, many)
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in_as_owner(page, live_portal)
    few: dict[str, int] = {}
    pages = list_pages(app, many)
    for name, path in pages.items():
        page.goto(live_portal + path)
        number = page.evaluate(IN_VIEW)
        few |= {name: number} if number < LEAST else {}
        assert page.evaluate(OUT_OF_SIGHT) == [], f"of {name}"
        assert_fits(page)
    assert few == {}, "so few rows are seen; a page that lists nothing belongs into NO_LISTS"

    for endpoint, name, action in (
        ("rules.index", "Acme servers", "Delete Acme servers"),
        ("conflicts.index", "new 0 of the branch", "Keep both: new 0 of the branch"),
        ("subscribers.index", "number-0.example", "Pause number-0.example"),
        ("saved_views.index", "Acme servers", "Delete Acme servers"),
    ):
        page.goto(live_portal + pages[endpoint])
        button = page.get_by_role("button", name=action)
        expect(button).to_be_hidden()
        page.get_by_role("link", name=f"All about {name}").click()
        expect(button).to_be_in_viewport()
        assert_fits(page)
        assert_accessible(page)


def test_every_list_is_within_its_card(
    app: Flask, live_portal: str, page: Page, many: Place
) -> None:
    """On the screens of a desk, with words as long as they come."""
    make_more_lists(app, many)
    sign_in_as_owner(page, live_portal)
    spills: dict[str, list[str]] = {}
    for name, path in list_pages(app, many).items():
        page.goto(live_portal + path)
        for width in DESKS:
            page.set_viewport_size({"width": width, "height": 900})
            if over := list_spills(page):
                spills[f"{name} at {width}"] = over
    assert spills == {}


def test_heads_stay_in_sight(app: Flask, live_portal: str, page: Page, many: Place) -> None:
    """Also of lists that are wider than the window, and where they are moved sideways."""
    sign_in(page, live_portal)
    every = "status,client,site,os,user,last_seen,type,serial,lan_ip,model,agent,agent_id"
    more = (f"assets/?columns={every}", "alerts/?columns=severity,acknowledged")
    log = list_pages(app, many)["sync_runs.show"]
    for width, paths in (
        (1440, (*LISTS, *more, log.removeprefix(many.url()))),
        (1024, ("assets/", "alerts/", "software/", "activity/", "audit/", "organizations/")),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths:
            page.goto(live_portal + many.url(path.format(**asdict(many))))
            last = page.locator("main tbody tr").last
            expect(last).not_to_be_in_viewport()
            last.scroll_into_view_if_needed()
            assert page.evaluate(HEAD_IS_SEEN), f"{path} at {width}"
