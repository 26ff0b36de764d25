"""Pictures of every page, wide and narrow, light and dark, to compare by eye."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.exceptions import HTTPException

from scripts.browsing import Demo, Scheme, open_window, sign_in
from tests.web.test_pages_in_browser import NO_PAGES

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZES = ((1440, 900), (390, 844))


def picture_every_page(browser: Browser, demo: Demo, folder: Path) -> None:
    """As `<endpoint>-<width>-<scheme>.png`, each page at the address that is linked first."""
    page = open_window(browser, *SIZES[0])
    sign_in(page, demo)
    pages = find_pages(page, demo)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for endpoint, address in pages.items():
                page.goto(address)
                file = folder / f"{endpoint}-{width}-{scheme}.png"
                page.screenshot(path=file, full_page=True, animations="disabled")
    print(f"{len(pages)} pages. No link leads to:")
    print("\n".join(sorted(known_pages(demo.app) - pages.keys())))


def find_pages(page: Page, demo: Demo) -> dict[str, str]:
    """Endpoint -> the first address of it that a page links to, beginning at the dashboard."""
    routes = demo.app.url_map.bind("localhost")
    found: dict[str, str] = {}
    waiting = deque([demo.url])
    while waiting:
        page.goto(waiting.popleft())
        links = page.locator("a[href^='/']:not([download])")
        for link in links.evaluate_all("links => links.map(link => link.getAttribute('href'))"):
            path = urlsplit(link).path
            with suppress(HTTPException):
                endpoint, _ = routes.match(path)
                if endpoint not in NO_PAGES | found.keys():
                    found[endpoint] = urljoin(demo.url, path)
                    waiting.append(found[endpoint])
    return found


def known_pages(app: Flask) -> set[str]:
    """Those of a tenant."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/t/<slug>/") and "GET" in (rule.methods or ())
    } - NO_PAGES
