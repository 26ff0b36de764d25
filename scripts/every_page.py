"""Pictures of every page, wide and narrow, light and dark, with data and without, to compare by
eye."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from portal.db import transaction
from portal.models import Asset
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant, get_tenant
from portal.services.accounts.users import add_user
from scripts.browsing import PATIENCE_MS, Demo, Scheme, install_webhook, open_window, sign_in
from tests.web.test_pages_in_browser import NO_PAGES
from tests.web.world import make_helpdesk, make_ticket

SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDE, NARROW, VERY_WIDE, SMALL_DESK = (1440, 900), (390, 844), (1920, 1080), (1024, 768)
AWAY = {"sso.show", "sso.callback", "sso.enter", "sso.prove", "sso.start", "webhook.progress"}
"""What leads to other servers or is shown to nobody who is signed in, and a part of a page."""
STATES: dict[str, tuple[str, Callable[[Page], object]]] = {
    "alerts-chosen": ("alerts/", lambda page: page.locator("[data-select]").nth(1).check()),
    "assets-chosen": ("assets/", lambda page: page.get_by_label("Select all").first.check()),
    "clients-chosen": ("clients/", lambda page: page.locator("[data-select]").nth(1).check()),
    "list-display": ("assets/", lambda page: page.locator(".list-tools summary").first.click()),
    "list-save": ("assets/", lambda page: page.locator(".list-tools summary").last.click()),
    "list-clients": ("assets/", lambda page: page.get_by_label("Client").first.click()),
    "list-no-match": ("assets/?q=nothing+like+it", lambda page: page.wait_for_load_state()),
    "past-day-menu": ("assets/", lambda page: page.locator(".page-actions summary").click()),
    "own-menu": ("", lambda page: page.locator(".topbar summary").last.click()),
    "keys": ("", lambda page: page.keyboard.press("?")),
    "palette": ("", lambda page: page.keyboard.press("Control+k")),
    "rule-errors": ("rules/new", lambda page: page.get_by_role("button", name="Try on").click()),
    "asset-missing": ("assets/999999", lambda page: page.wait_for_load_state()),
}
"""What a page shows once something is done on it: name -> its address and the deed."""
EMPTY = "empty"
"""The short name of a tenant in which there is nothing yet."""


def picture_every_page(browser: Browser, demo: Demo, folder: Path) -> None:
    """As `<endpoint>-<width>-<scheme>.png`, each page at the address that is linked first; those
    of a tenant without data as `empty.<endpoint>-…`, lists on a very wide and a small screen of a
    desk as well, and what shows only once something is done as `state.<name>-…`."""
    page = open_window(browser, *WIDE)
    outside = {
        "sign-in": urljoin(demo.url, "/sign-in"),
        "sso.show": urljoin(demo.url, "sign-in"),
        "error": urljoin(demo.url, "/nowhere"),
    }
    _picture(page, folder, outside, WIDE, NARROW)
    sign_in(page, demo)
    pages = find_pages(page, demo, prepare(page, demo))
    _picture(page, folder, pages, WIDE, NARROW)
    lists = {name: pages[name] for name in pages if name.endswith("index")}
    _picture(page, folder, lists, VERY_WIDE, SMALL_DESK)
    _picture_states(page, folder, demo)
    _add_empty_tenant(demo)
    empty = {f"{EMPTY}.{name}": address for name, address in pages_of(demo, EMPTY).items()}
    _picture(page, folder, empty, WIDE, NARROW)
    print(f"{len(pages)} pages, and {len(empty)} without data. No link leads to:")
    print("\n".join(sorted(known_pages(demo.app) - pages.keys())))


def prepare(page: Page, demo: Demo) -> list[str]:
    """What the demo does not have by itself and pages are about: calls of the webhook, a ticket, a
    preview. The addresses of those pages to which no page that is opened first leads."""
    page.set_default_timeout(PATIENCE_MS)
    install_webhook(page, demo)
    page.goto(f"{demo.url}sync-runs/")
    devices = page.get_by_role("link", name="Devices").first.get_attribute("href") or ""
    page.get_by_role("button", name="Preview devices").click()
    page.get_by_role("link", name="Details").click()
    page.get_by_role("heading", name="Preview of a device sync").wait_for()
    return [page.url, urljoin(demo.url, devices), *_add_ticket(demo)]


def _add_ticket(demo: Demo) -> list[str]:
    with (
        demo.app.app_context(),
        tenant_scope(get_tenant("demo").id),
        transaction() as session,
    ):
        helpdesk = make_helpdesk("demo")
        session.add(helpdesk)
        session.flush()
        asset = session.scalars(select(Asset).limit(1)).one()
        session.add(make_ticket(helpdesk.id, asset, "1042"))
        return [urljoin(demo.url, f"helpdesks/{helpdesk.id}{page}") for page in ("", "/edit")]


def _picture(page: Page, folder: Path, pages: dict[str, str], *sizes: tuple[int, int]) -> None:
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for name, address in pages.items():
                page.goto(address)
                file = folder / f"{name}-{width}-{scheme}.png"
                page.screenshot(path=file, full_page=True, animations="disabled")


def _picture_states(page: Page, folder: Path, demo: Demo) -> None:
    """Of the window alone: what lies over a page has its place there."""
    for width, height in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for name, (path, act) in STATES.items():
                page.goto(urljoin(demo.url, path))
                act(page)
                page.wait_for_load_state("networkidle")
                file = folder / f"state.{name}-{width}-{scheme}.png"
                page.screenshot(path=file, animations="disabled")


def _add_empty_tenant(demo: Demo) -> None:
    with demo.app.app_context():
        add_tenant("Empty MSP", EMPTY)
        add_user(demo.email, demo.password, EMPTY, "owner")


def pages_of(demo: Demo, slug: str) -> dict[str, str]:
    """Endpoint -> address, of a tenant's pages that are about no record."""
    return {
        rule.endpoint: urljoin(demo.url, rule.rule.replace("<slug>", slug))
        for rule in demo.app.url_map.iter_rules()
        if rule.arguments == {"slug"} and rule.endpoint in known_pages(demo.app)
    }


def find_pages(page: Page, demo: Demo, others: Sequence[str]) -> dict[str, str]:
    """Endpoint -> the first address of it that a page links to, beginning at the dashboard; and
    those of the other addresses."""
    routes = demo.app.url_map.bind("localhost")
    found: dict[str, str] = {}
    waiting = deque([demo.url, *others])
    while waiting:
        page.goto(waiting.popleft())
        links = page.locator("a[href^='/']:not([download])")
        hrefs = links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
        for link in [page.url, *hrefs]:
            path = urlsplit(link).path
            with suppress(HTTPException):
                endpoint, _ = routes.match(path)
                if endpoint not in NO_PAGES | AWAY | found.keys():
                    found[endpoint] = urljoin(demo.url, path)
                    waiting.append(found[endpoint])
    return found


def known_pages(app: Flask) -> set[str]:
    """Those of a tenant."""
    return (
        {
            rule.endpoint
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/t/<slug>/") and "GET" in (rule.methods or ())
        }
        - NO_PAGES
        - AWAY
    )
