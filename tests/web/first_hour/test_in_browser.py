"""The first hour, in a real browser, from a fresh install to an alert that has just begun."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tactical_simulator import SimulatedTactical
from tests.support.running import RunningPortal
from tests.support.running_msp import portal

__all__ = ["portal"]

pytestmark = pytest.mark.one_database

MOST_CLICKS = 12
PATIENCE_MS = 30_000


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


def test_from_a_fresh_install_to_a_live_alert_in_twelve_clicks(
    portal: RunningPortal, tactical: SimulatedTactical, page: Page
) -> None:
    token = re.findall(r"one-time token: (\S+)", portal.output)[-1]
    page.goto(f"http://127.0.0.1:{portal.environ['PORTAL_PORT']}/")
    watch = StopWatch(page)

    page.get_by_label("Setup token").fill(token)
    page.get_by_label("Company").press_sequentially("Bauer & Söhne IT")
    expect(page.get_by_label("Short name")).to_have_value("bauer-soehne-it")
    page.get_by_label("Email address").fill("anna@bauer.example")
    page.get_by_label("Password").fill("correct horse battery staple")
    watch.button("Create and sign in")
    watch.button("Skip for now")

    steps = page.get_by_role("region", name="First steps")
    watch.link("Connect Tactical RMM", within=steps)
    page.get_by_label("Instance URL").fill(tactical.url)
    page.get_by_label("API key", exact=True).last.fill(tactical.api_key)
    watch.button("Save and test")

    watch.link("Map organizations", within=page.get_by_role("region", name="Next step"))
    map_all(page)
    watch.button("Preview devices")
    watch.button("Apply all")
    expect(page.get_by_text(re.compile(r"^24 created"))).to_be_visible(timeout=PATIENCE_MS)

    watch.link("Set up the webhook")
    watch.button("Preview the changes")
    watch.button("Install in Tactical")
    expect(page.get_by_text("Installed. Tactical's test call arrived.")).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_text("Not used yet")).to_have_count(0)

    soon = page.locator("#webhook-state [hx-trigger='every 2s']")
    expect(soon).to_have_count(1)
    tactical.control.alerts.trigger(tactical.control.agents.ids()[0])
    expect(page.get_by_text("The last call arrived")).to_be_visible(timeout=PATIENCE_MS)
    expect(soon).to_have_count(0)
    watch.link("Alerts", within=page.locator("#webhook-state"))
    expect(page.get_by_role("table", name="Alerts").locator("tbody tr").first).to_be_visible()

    print(watch.report())
    assert len(watch.clicks) <= MOST_CLICKS


def map_all(page: Page) -> None:
    """By keyboard alone."""
    rows = page.get_by_role("table", name="Organizations").locator("tbody tr")
    expect(rows.first).to_be_visible()
    page.wait_for_load_state()
    for row, name in zip(rows.all(), ("Globex", "Initech", "Umbrella"), strict=True):
        row.get_by_role("combobox").focus()
        page.keyboard.type(name)
        chosen = page.get_by_role("option", selected=True)
        expect(chosen).to_contain_text(name, timeout=PATIENCE_MS)
        page.keyboard.press("Enter")
        expect(page.get_by_text(re.compile(f"is now mapped to {name}")).last).to_be_visible()
