"""What must hold of every page as it stands in a browser."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {"rules": {"target-size": {"enabled": True}}}
"""The rule on the size of what is pressed is off by default."""


def assert_accessible(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    found: list[dict[str, Any]] = Axe().run(page, options=OPTIONS).response["violations"]
    wrong = [f"{rule['id']} {node['target']}" for rule in found for node in rule["nodes"]]
    assert not wrong, f"{page.url}: {wrong}"


def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    over = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert over <= 0, f"{page.url} is {over} pixels too wide"
