"""What a person does, in a real browser, against a real server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page, Route, expect

from portal.db import transaction
from portal.models import Client, OrganizationMapping
from portal.models.integrations.integration import IntegrationState
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant, get_tenant
from portal.services.accounts.users import add_user
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from tactical_simulator import SimulatedTactical
from tests.web.accessible import assert_accessible
from tests.web.worker import working
from tests.web.world import KEY, Place

pytestmark = pytest.mark.one_database

WORDS = (
    *("Auk", "Bunting", "Crane", "Dove", "Egret", "Finch", "Goose", "Heron", "Ibis", "Jay", "Kite"),
    *("Lark", "Merlin", "Nightjar", "Owl", "Plover", "Quail", "Robin", "Swift", "Tern"),
)
EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


@pytest.fixture
def work(app: Flask, redis_url: str) -> Iterator[None]:
    with working(app, redis_url):
        yield


@pytest.fixture
def empty(app: Flask) -> None:
    """A tenant without anything, and its admin."""
    with app.app_context():
        add_tenant("Acme IT", "acme")
        add_user(EMAIL, PASSWORD, "acme", "admin")


@pytest.fixture
def full(app: Flask, acme: Place) -> Place:
    """A tenant with one of everything, a second client, and an admin."""
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = get_integration().id
        session.add(Client(name="Globex"))
        session.add(
            OrganizationMapping(
                integration_id=integration,
                external_organization_id="8",
                external_organization_name="GLOBEX",
            )
        )
    return acme


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    page.wait_for_load_state()


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page.wait_for_load_state()  # a key that is pressed before the scripts are there is lost


def test_from_connecting_to_assets(
    live_portal: str, tactical: SimulatedTactical, page: Page, empty: None, work: None
) -> None:
    sign_in(page, live_portal)
    page.get_by_role("link", name="Connect Tactical RMM").click()
    page.get_by_label("Instance URL").fill(tactical.url)
    page.get_by_label("API key", exact=True).last.fill(tactical.api_key)
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("Everything works: 3 organizations and 24 agents")).to_be_visible()
    # The organizations have come by themselves.
    page.get_by_role("link", name="Map organizations").click()
    rows = page.get_by_role("table", name="Organizations").locator("tbody tr")
    expect(rows).to_have_count(3)

    for row, name in zip(rows.all(), ("Globex", "Initech", "Globex"), strict=True):
        field = row.get_by_role("combobox")
        field.focus()
        page.keyboard.type(name)
        expect(page.get_by_role("option", selected=True)).to_contain_text(name, timeout=15_000)
        with page.expect_response(re.compile("/organizations/[0-9]+/client$")):
            page.keyboard.press("Enter")
        expect(page.get_by_text(re.compile(f"is now mapped to {name}")).last).to_be_visible()
        expect(field).to_have_value(name)
        expect(field).to_be_focused()
    page.reload()
    expect(rows.last.get_by_role("combobox")).to_have_value("Globex")
    expect(page.get_by_role("link", name="Mapped 3", exact=True)).to_be_visible()

    go(page, "Dashboard")
    tactical.control.faults.add("slow", "/beta/v1/agent/*", seconds=1.5)
    page.get_by_role("button", name="Sync without preview").click()
    panel = page.get_by_role("region", name="Devices sync")
    expect(panel.get_by_role("progressbar")).to_be_visible()
    expect(panel.get_by_role("status")).to_have_text("24 created.")
    # The rest of the page has followed, without a reload.
    expect(page.get_by_role("region", name="Assets", exact=True).get_by_text("24")).to_be_visible()

    go(page, "Assets")
    expect(page.get_by_text("24 assets")).to_be_visible()
    expect(page.get_by_role("table", name="Assets").locator("tbody tr")).to_have_count(24)

    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.get_by_text("No software read yet")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_role("button", name="Sync software").first.click()
    titles = page.get_by_role("table", name="Software").locator("tbody tr")
    expect(titles.first).to_be_visible()
    name = titles.first.get_by_role("link").first.inner_text()
    page.get_by_label("Search software").fill(name)
    expect(page).to_have_url(re.compile(r"/software/\?q="))
    titles.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page.get_by_role("table", name="Assets").locator("tbody tr").first).to_be_visible()


def test_a_fault_marks_its_field(
    live_portal: str, tactical: SimulatedTactical, page: Page, empty: None, work: None
) -> None:
    sign_in(page, live_portal)
    page.get_by_role("link", name="Connect Tactical RMM").click()
    address, key = page.get_by_label("Instance URL"), page.locator("#api_key")

    address.fill("https://user:secret@api.example.com")
    page.get_by_role("button", name="Save and test").click()
    expect(address).to_have_accessible_description(re.compile("they have fields of their own"))
    expect(address).to_be_focused()

    address.fill(tactical.url)
    key.fill("NOT-THE-KEY")
    page.get_by_role("button", name="Save and test").click()
    expect(key).to_have_attribute("aria-invalid", "true")
    expect(key).to_have_accessible_description(re.compile("Tactical does not know this API key"))
    expect(key).to_have_value("")
    expect(address).not_to_have_attribute("aria-invalid", "true")

    key.fill(tactical.api_key)
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("Everything works")).to_be_visible()
    expect(key).not_to_have_attribute("aria-invalid", "true")


def test_a_move_is_undone_and_the_keyboard_stays_in_the_row(
    live_portal: str, page: Page, full: Place
) -> None:
    sign_in(page, live_portal)
    go(page, "Organizations")
    row = page.locator(f"#organization-{full.organization}")
    field = row.get_by_role("combobox")
    field.focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("glob")
    expect(page.get_by_role("option").first).to_have_text(re.compile("^Globex"))
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("is now mapped to Globex. 1 asset moved to it.").last).to_be_visible()
    expect(field).to_have_value("Globex")
    expect(field).to_be_focused()
    page.locator("#toasts").get_by_role("button", name="Undo").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Undone: ")
    expect(field).to_have_value("Acme Client")


CUT_OFF = """() => [...document.querySelectorAll(".reason")].filter((score) => {
    const { right } = score.getBoundingClientRect();
    const cell = score.closest("td").getBoundingClientRect();
    return right > cell.right + 1 || right > innerWidth;
}).map((score) => score.textContent)"""
"""Scores of suggestions that are not seen whole."""


def test_twenty_organizations_are_mapped_by_keyboard_alone(
    live_portal: str, page: Page, app: Flask, full: Place
) -> None:
    """Twelve as suggested, six as clients of their own, one assigned and one ignored."""
    with app.app_context(), tenant_scope(full.id), transaction() as session:
        integration = get_integration().id
        session.add_all(Client(name=f"Kestrel {word} Ltd") for word in WORDS[:12])
        names = [f"KESTREL {word}" for word in WORDS[:12]] + [f"Zander {word}" for word in WORDS]
        session.add_all(
            OrganizationMapping(
                integration_id=integration,
                external_organization_id=str(100 + number),
                external_organization_name=name,
                agent_count=7,
            )
            for number, name in enumerate(names[:20])
        )
    sign_in(page, live_portal)
    page.goto(live_portal + full.url("organizations/?show=unmapped"))
    rows = page.get_by_role("table", name="Organizations").locator("tbody tr")
    expect(rows).to_have_count(21)
    expect(
        page.get_by_text("13 selected · would import 84 agents (of 1 not known)")
    ).to_be_visible()
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_text(re.compile(r"score \d+"))).to_have_count(13)
    assert page.evaluate(CUT_OFF) == []
    page.set_viewport_size({"width": 1280, "height": 720})
    presses = 0

    def press(key: str, times: int = 1) -> None:
        nonlocal presses
        presses += times
        for _ in range(times):
            page.keyboard.press(key)

    began = time.monotonic()
    press("j")
    press("j")  # past GLOBEX, the client of which is there as well
    press("Enter", 12)
    expect(rows.nth(12).get_by_role("combobox")).to_have_value("Kestrel Lark Ltd")
    press("c", 6)
    expect(rows.nth(18).get_by_role("combobox")).to_have_value("Zander Finch")
    press("i")
    expect(rows.nth(19).get_by_text("Ignored")).to_be_visible()
    press("a")
    page.keyboard.type("glob")
    presses += 4
    expect(page.get_by_role("option").first).to_have_text(re.compile("^Globex"))
    press("Enter")
    expect(rows.nth(20).get_by_role("combobox")).to_have_value("Globex")
    seconds = time.monotonic() - began
    print(f"20 organizations: {presses} keystrokes, {seconds:.0f} s")
    assert presses == 27
    expect(page.get_by_role("link", name="Ignored 1", exact=True)).to_be_visible()

    page.locator("h1").click()
    press("u")
    press("u")
    expect(page.get_by_role("link", name="Ignored")).to_have_count(0)
    expect(page.get_by_role("link", name="Unmapped 3", exact=True)).to_be_visible()
    expect(page.get_by_text("Undone: ignored: Zander").last).to_be_visible()
    press("k")  # from below, where what is left stands
    press(" ")
    press("Shift+C")
    expect(
        page.get_by_text(re.compile("^Created 2 clients|^Created 1 client, mapped 2")).last
    ).to_be_visible()
    press("?")
    expect(page.get_by_role("dialog").get_by_text("Undo what was done last")).to_be_visible()
    page.keyboard.press("Escape")

    # What was done last is what was done last, though its answer is not there yet.
    held: list[Route] = []
    page.route("**/ignored", lambda route: held.append(route))
    rows.first.get_by_role("checkbox").focus()
    with page.expect_request("**/ignored"):
        press("i")
    press("u")
    held.pop().continue_()
    expect(page.get_by_text(re.compile("^Undone: ignored: ")).last).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_portal + full.url("organizations/"))
    assert rows_in_view(rows) >= 8
    assert_accessible(page)


def test_clients_are_made_of_ticked_organizations_where_there_is_none_yet(
    live_portal: str, page: Page, app: Flask, empty: None
) -> None:
    with app.app_context(), tenant_scope(get_tenant("acme").id):
        save_connection(ConnectionSettings(base_url="https://api.acme.example", api_key=KEY))
        with transaction() as session:
            integration = get_integration()
            integration.state = IntegrationState.ACTIVE
            for number, word in enumerate(WORDS[:4]):
                row = OrganizationMapping(integration_id=integration.id, agent_count=7)
                row.external_organization_id = str(number)
                row.external_organization_name = f"Zander {word}"
                session.add(row)
    sign_in(page, live_portal)
    go(page, "Clients")
    expect(page.get_by_role("table")).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name=re.compile("organizations")).click()
    expect(page.get_by_role("heading", name="Organizations", level=1)).to_be_visible()
    notices = page.get_by_role("region", name="Notifications")
    for undone in (True, False):
        for word in WORDS[:3]:
            page.get_by_label(f"Select Zander {word}").check()
        expect(page.get_by_text("3 selected · would import 21 agents")).to_be_visible()
        page.get_by_role("button", name="Create clients", exact=True).click()
        expect(
            notices.get_by_text("Created 3 clients, mapped 3 organizations.").last
        ).to_be_visible()
        expect(page.get_by_role("link", name="Unmapped 1", exact=True)).to_be_visible()
        if undone:
            notices.get_by_role("button", name="Undo").click()
            expect(page.get_by_role("link", name="Unmapped 4", exact=True)).to_be_visible()
    go(page, "Clients")
    expect(page.get_by_role("table", name="Clients").locator("tbody tr")).to_have_count(3)
    with app.app_context(), tenant_scope(get_tenant("acme").id), transaction() as session:
        for number in range(60):
            row = OrganizationMapping(integration_id=get_integration().id, agent_count=3)
            row.external_organization_id = row.external_organization_name = f"Later {number}"
            session.add(row)
    go(page, "Organizations")
    page.get_by_role("link", name="Unmapped 61", exact=True).click()
    page.get_by_label("All 61 that match").check()
    expect(page.get_by_text("61 selected · would import 187 agents")).to_be_visible()
    page.get_by_role("button", name="Create clients", exact=True).click()
    expect(notices.get_by_text("Created 61 clients, mapped 61 organizations.")).to_be_visible()


def rows_in_view(rows: Locator) -> int:
    """From where the list begins to the lower edge of the screen."""
    rows.first.scroll_into_view_if_needed()
    return int(
        rows.first.evaluate(
            "row => [...row.parentNode.children].filter("
            "each => each.getBoundingClientRect().bottom <= innerHeight).length"
        )
    )


def test_lists_keep_their_state_in_the_address(live_portal: str, page: Page, full: Place) -> None:
    sign_in(page, live_portal)
    go(page, "Organizations")
    page.keyboard.press("/")
    page.keyboard.type("acme")
    rows = page.get_by_role("table", name="Organizations").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/organizations/\?q=acme$"))
    page.get_by_role("link", name=re.compile("^Unmapped")).click()
    expect(page.get_by_text("No organization matches this search and view.")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(1)

    go(page, "Assets")
    page.get_by_role("combobox", name="Type").select_option("server")
    expect(page.get_by_role("heading", name="No asset matches")).to_be_visible()
    export = page.get_by_role("link", name="Export CSV")
    expect(export).to_have_attribute("href", re.compile(r"export\.csv\?type=server$"))


def test_a_refused_deletion_says_why(live_portal: str, page: Page, full: Place) -> None:
    sign_in(page, live_portal)
    page.goto(live_portal + full.url(f"clients/{full.client}"))
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete Acme Client?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert_accessible(page)
    dialog.get_by_role("button", name="Delete client").click()
    expect(page.get_by_text("Acme Client cannot be deleted").last).to_be_visible()


def test_the_pages_work_without_scripts(live_portal: str, browser: Browser, full: Place) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_portal)
    page.goto(live_portal + full.url("organizations/"))
    row = page.locator("tr", has_text="GLOBEX")
    row.get_by_role("combobox").fill("globex")
    row.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("GLOBEX is now mapped to Globex.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: mapped GLOBEX to Globex.")).to_be_visible()
    page.get_by_label("Select GLOBEX").check()
    page.get_by_role("button", name="Ignore", exact=True).click()
    expect(page.get_by_text("Ignored: GLOBEX.")).to_be_visible()

    page.goto(live_portal + full.url("assets/"))
    page.get_by_role("combobox", name="Type").select_option("server")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No asset matches")).to_be_visible()

    page.get_by_role("link", name="Clear all filters").click()
    page.get_by_role("link", name="acme-pc").click()
    page.get_by_label("New tag").fill("desk")
    page.get_by_role("button", name="Add tag").click()
    expect(page.get_by_role("button", name="Remove the tag desk")).to_be_visible()
    page.get_by_role("link", name="Write a note").click()
    page.get_by_label("Note", exact=True).fill("Below the desk")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("region", name="Note").get_by_text("Below the desk")).to_be_visible()
    page.get_by_role("link", name="1 of 1").click()
    expect(page.get_by_role("heading", name="Assets", level=1)).to_be_visible()
    context.close()


def test_the_palette_finds_everything_by_keyboard(
    live_portal: str, browser: Browser, page: Page, full: Place
) -> None:
    sign_in(page, live_portal)
    page.keyboard.press("ControlOrMeta+k")
    palette = page.get_by_role("dialog", name="Search and actions")
    field = palette.get_by_role("combobox", name="Search everything")
    chosen = palette.get_by_role("option", selected=True)
    expect(field).to_be_focused()
    expect(palette.get_by_role("group", name="Pages")).to_be_visible()
    page.keyboard.type("acme-pc")
    expect(chosen).to_contain_text("acme-pc")
    expect(palette.get_by_role("group", name="Tickets")).to_be_visible()
    assert field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="acme-pc", level=1)).to_be_visible()
    page.wait_for_load_state()

    page.keyboard.press("/")  # no list here: the search is that over everything
    expect(palette.get_by_role("group", name="Recent")).to_contain_text("acme-pc")
    page.keyboard.type("globex")
    expect(palette.get_by_role("group", name="Clients")).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(palette.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Search or jump to").click()
    page.keyboard.type("sync devices")
    expect(chosen).to_have_text("Sync devices")
    assert_accessible(page)
    page.keyboard.press("Enter")  # an action is sent as a form
    expect(page.get_by_role("heading", name="Devices sync", level=1)).to_be_visible()

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_portal)
    page.get_by_role("link", name="Search or jump to").click()
    page.get_by_role("searchbox", name="Search everything").fill("globex")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Globex", exact=True).click()
    expect(page.get_by_role("heading", name="Globex", level=1)).to_be_visible()
    context.close()
