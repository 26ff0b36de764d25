"""A demo of its own, and windows of a headless Chromium that look at it."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal import create_app
from portal.config import read_settings
from portal.supervisor.demo import demo_environ
from tests.support.browser import NO_CHROMIUM, find_chromium, launched
from tests.support.demo import mail_box_of, server_of, sign_in_of, wait_for_a_mail
from tests.support.running import RunningPortal, free_port, running_portal

PATIENCE_MS = 60_000
Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Demo:
    url: str
    """Of its tenant's pages."""
    email: str
    password: str
    tactical: str
    """The address of the simulated server."""
    mail_box: str
    app: Flask
    """Not the one that answers: it knows the same routes and records."""


@contextmanager
def running_demo() -> Iterator[Demo]:
    """On free ports; its data is removed afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_portal(Path(folder), free_port(), "demo", PORTAL_LOG_LEVEL="WARNING") as portal,
    ):
        try:
            yield _look_at(portal)
        finally:
            portal.end(signal.SIGINT, seconds=30)


@contextmanager
def running_browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        sys.exit(NO_CHROMIUM)
    with launched(chromium) as browser:
        yield browser


def open_window(
    browser: Browser, width: int, height: int, scheme: Scheme = "light", sharpness: int = 1
) -> Page:
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        device_scale_factor=sharpness,
        locale="en-GB",
    ).new_page()


def sign_in(page: Page, demo: Demo) -> None:
    page.goto(demo.url)
    page.get_by_label("Email address").fill(demo.email)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Skip for now").click(timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible(timeout=PATIENCE_MS)


def install_webhook(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}integrations/tacticalrmm/webhook/")
    page.get_by_label("As the server's default").check()
    page.get_by_role("button", name="Preview the changes").click()
    page.get_by_role("button", name="Install in Tactical").click(timeout=PATIENCE_MS)
    arrived = page.get_by_text("Tactical's test call arrived").first
    expect(arrived).to_be_visible(timeout=PATIENCE_MS)


def _look_at(portal: RunningPortal) -> Demo:
    """Once its first mails are there."""
    email, password = sign_in_of(portal)
    mail_box = mail_box_of(portal)
    wait_for_a_mail(mail_box)
    url = f"http://localhost:{portal.environ['PORTAL_PORT']}/t/demo/"
    app = create_app(read_settings(portal.environ | demo_environ(portal.environ)))
    return Demo(url, email, password, server_of(portal), mail_box, app)
