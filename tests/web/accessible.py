"""What must hold of every page as it stands in a browser."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""The rule on the size of what is pressed is off by default."""
_axe = Axe()


UNDER_WAY = ".htmx-request, .htmx-swapping, .htmx-settling"
ANIMATIONS_ENDED = """Promise.allSettled(
    document.getAnimations()
        .filter((animation) => animation.effect.getComputedTiming().endTime < Infinity)
        .map((animation) => animation.finished)
)"""


def assert_accessible(page: Page) -> None:
    """Looked at from its top: the bar there covers a part of what has been scrolled below it, and
    how far a page scrolls depends on the machine's fonts."""
    wait_until_still(page)
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    found: list[dict[str, Any]] = _axe.run(page, options=OPTIONS).response["violations"]
    wrong = [f"{rule['id']} {node['target']}" for rule in found for node in rule["nodes"]]
    assert not wrong, f"{page.url}: {wrong}"


def wait_until_still(page: Page) -> None:
    """Loaded, no part is being asked for, and nothing moves. (Chromium calls a network idle half a
    second after its last request: that would be most of what a test of all pages takes.)"""
    page.wait_for_load_state("load")
    expect(page.locator(UNDER_WAY)).to_have_count(0)
    page.evaluate(ANIMATIONS_ENDED)


def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    over = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert over <= 0, f"{page.url} is {over} pixels too wide"
