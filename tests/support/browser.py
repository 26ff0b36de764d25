"""A real browser for the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from tests.support.skips import skip_or_fail

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = "No Chromium here: apt-get install chromium."
ARGUMENTS = (
    "--no-sandbox",  # it does not run as root with one
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        skip_or_fail("PORTAL_REQUIRE_BROWSER", NO_CHROMIUM)
    with launched(path) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh, signed-out window. A script error or a refused resource fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(_describe(error)))
    page.on("console", lambda message: _note(message, complaints))
    yield page
    context.close()
    assert complaints == []


def _describe(error: Error) -> str:
    return f"script error: {error.message}"


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    """Chromium reports every 4xx answer as an error; those are for the test to judge."""
    if message.type == "error" and "Failed to load resource" not in message.text:
        complaints.append(f"console: {message.text}")
