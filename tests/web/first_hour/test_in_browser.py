"""The first hour, in a real browser, from a fresh install to an alert that has just begun."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tactical_simulator import SimulatedTactical
from tests.support.running import RunningPortal
from tests.support.running_msp import portal
from tests.web.accessible import assert_outlined

__all__ = ["portal"]

pytestmark = pytest.mark.one_database

MOST_CLICKS = 12
PATIENCE_MS = 30_000
PASSWORD = "correct horse battery staple"


class StopWatch:
    """Clicks as a person would, counts them, and notes when each came."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.began = time.monotonic()
        self.clicks: list[tuple[float, str]] = []

    def button(self, name: str) -> None:
        self._click(self.page.get_by_role("button", name=name, exact=True), name)

    def link(self, name: str, within: Locator | None = None) -> None:
        self._click((within or self.page).get_by_role("link", name=name, exact=True).first, name)

    def _click(self, what: Locator, name: str) -> None:
        expect(what).to_be_visible(timeout=PATIENCE_MS)
        what.click()
        self.clicks.append((time.monotonic() - self.began, name))

    def report(self) -> str:
        seen = time.monotonic() - self.began
        lines = [f"{number:>2}  {at:5.1f} s  {name}" for number, (at, name) in self.numbered()]
        return "\n".join([*lines, f"    {seen:5.1f} s  the alert is on screen"])

    def numbered(self) -> list[tuple[int, tuple[float, str]]]:
        return list(enumerate(self.clicks, 1))


def test_from_a_fresh_install_to_a_live_alert_in_twelve_clicks_by_ear(
    portal: RunningPortal, tactical: SimulatedTactical, page: Page
) -> None:
    """Everything is found by its role and name alone, as by whoever hears the pages: each of them
    has its outline, what happens is said, and the focus stays where it belongs."""
    token = re.findall(r"one-time token: (\S+)", portal.output)[-1]
    page.goto(f"http://127.0.0.1:{portal.environ['PORTAL_PORT']}/")
    watch = StopWatch(page)

    assert_outlined(page)
    field(page, "Setup token").fill(token)
    field(page, "Company").press_sequentially("Bauer & Söhne IT")
    expect(field(page, "Short name optional")).to_have_value("bauer-soehne-it")
    field(page, "Email address").fill("anna@bauer.example")
    field(page, "Password").fill(PASSWORD)
    watch.button("Create and sign in")
    assert_page(page, "Set up a second factor")
    watch.button("Skip for now")

    assert_page(page, "Dashboard")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    steps = page.get_by_role("region", name="First steps")
    watch.link("Connect Tactical RMM", within=steps)
    assert_page(page, "Tactical RMM")
    field(page, "Instance URL").fill(tactical.url)
    field(page, "API key").fill(tactical.api_key)
    watch.button("Save and test")
    assert_said(page, "Everything works")

    watch.link("Map organizations", within=page.get_by_role("region", name="Next step"))
    assert_page(page, "Organizations")
    map_all(page)
    watch.button("Preview devices")
    assert_page(page, "Preview of a device sync")
    watch.button("Apply all")
    assert_said(page, re.compile(r"^24 created"))
    assert_outlined(page)

    watch.link("Set up the webhook")
    assert_page(page, "Webhook")
    watch.button("Preview the changes")
    expect(page.get_by_role("heading", name="This will change in Tactical")).to_be_visible()
    expect(page.get_by_role("button", name="Preview the changes")).to_be_focused()
    watch.button("Install in Tactical")
    assert_said(page, "Installed. Tactical's test call arrived.")
    expect(page.get_by_text("Not used yet")).to_have_count(0)

    state = page.get_by_role("status").filter(has_text="Test arrived")
    soon = page.locator("[hx-trigger='every 2s']")  # which nobody hears
    expect(state).to_be_visible()
    expect(soon).to_have_count(1)
    tactical.control.alerts.trigger(tactical.control.agents.ids()[0])
    assert_said(page, "The last call arrived")
    expect(soon).to_have_count(0)
    watch.link("Alerts", within=page.get_by_role("status"))
    rows = page.get_by_role("table", name="Alerts").get_by_role("row")
    expect(rows.nth(1)).to_be_visible()  # below its head
    print(watch.report())
    assert len(watch.clicks) <= MOST_CLICKS

    rows.nth(1).get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_role("region", name="Who looks after it")).to_be_visible()
    assert_outlined(page)
    page.get_by_role("button", name="Acknowledge").press("Enter")
    assert_said(page, re.compile("acknowledged", re.IGNORECASE))
    page.get_by_role("region", name="Where").get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Alerts")).to_be_visible()
    assert_outlined(page)
    go_on_to_a_second_person(page)


def go_on_to_a_second_person(page: Page) -> None:
    """Each page names what comes next, and leads there."""

    def go_on(button: str, heading: str) -> None:
        page.get_by_role("region", name="Next step").get_by_role("link", name=button).click()
        assert_page(page, heading)

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Webhook").first.click()
    assert_page(page, "Webhook")
    go_on("Add a channel", "Add a channel")
    page.get_by_role("main").get_by_role("link", name="HTTP request").click()
    field(page, "Name").fill("Night shift")
    field(page, "URL").fill("https://hook.example.com/night")
    page.get_by_role("button", name="Add channel").press("Enter")
    assert_page(page, "Night shift")
    go_on("Choose rules", "Rules")
    page.get_by_role("button", name="Take these rules").press("Enter")
    expect(page.get_by_role("table", name=re.compile("^Rules"))).to_be_visible()
    go_on("Invite", "Users")
    field(page, "Email address").fill("ben@bauer.example")
    page.get_by_role("radio", name=re.compile("^Technician")).check()
    page.get_by_role("button", name="Invite").press("Enter")
    expect(page.get_by_text("Send this link to ben@bauer.example")).to_be_visible()
    assert_outlined(page)
    go_on("Set it up", "Second factor")


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=name, exact=True)


def assert_page(page: Page, name: str) -> None:
    """The page of this heading, of which whoever comes there hears the title."""
    heading = page.get_by_role("heading", level=1, name=name)
    expect(heading).to_be_visible(timeout=PATIENCE_MS)
    expect(page).to_have_title(re.compile(f"^{name}"))
    assert_outlined(page)


def assert_said(page: Page, words: str | re.Pattern[str]) -> None:
    """In a region that readers of screens tell the changes of."""
    said = page.get_by_role("status").filter(has_text=words)
    expect(said.first).to_be_attached(timeout=PATIENCE_MS)


def map_all(page: Page) -> None:
    """By keyboard alone; each one's field keeps the focus."""
    rows = page.get_by_role("table", name="Organizations").get_by_role("row")
    expect(rows.nth(1)).to_be_visible()
    page.wait_for_load_state()
    for number, name in enumerate(("Globex", "Initech", "Umbrella"), 1):
        client = rows.nth(number).get_by_role("combobox")
        client.focus()
        page.keyboard.type(name)
        chosen = page.get_by_role("option", selected=True)
        expect(chosen).to_contain_text(name, timeout=PATIENCE_MS)
        page.keyboard.press("Enter")
        assert_said(page, f"is now mapped to {name}")
        expect(client).to_be_focused()
