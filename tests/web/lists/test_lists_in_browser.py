"""Lists on a telephone and on a desk, and views of them, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.db import Base, transaction
from portal.models import (
    Asset,
    Client,
    Event,
    EventSubscriber,
    Notice,
    OrganizationMapping,
    SavedView,
    SoftwareProduct,
    SoftwareWatch,
    SyncRun,
    Tenant,
)
from portal.models.notices.notice import NoticeKind
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.first_steps import ALL
from tests.web.accessible import assert_accessible, assert_fits, wait_until_still
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.test_pages_in_browser import NO_PAGES
from tests.web.world import (
    Place,
    make_alert,
    make_asset,
    make_channel,
    make_conflict,
    make_delivery,
    make_feed,
    make_helpdesk,
    make_invitation,
    make_rule,
    make_ticket,
    make_token,
    make_window,
)

pytestmark = pytest.mark.one_database

OWNER = "owner@acme.example"
TWO_LINES = 40
"""Pixels."""
TABLE_FITS = """() => {
  const table = document.querySelector("main table");
  return table.offsetWidth <= table.closest(".card").offsetWidth;
}"""
MANY = 60
LEAST = 8
"""Rows that a telephone shows of a list, before it is scrolled."""
LISTS = (
    *("assets/", "alerts/", "clients/", "software/", "sync-runs/", "tickets/", "activity/"),
    *("deliveries/", "audit/"),
)
NO_LISTS = {
    *("dashboard.show", "integrations.index", "tacticalrmm.show", "single_sign_on.show"),
    *("webhook.show", "webhook.progress", "organizations.created", "notices.show_choices"),
    *("channels.choose", "helpdesks.choose", "clients.new", "rules.new", "windows.new"),
    *("factor_rules.show", "rules.transfer", "api_tokens.reference", "search.index"),
    "windows.calendar",
}
"""Pages without the id of a record that are about one thing, or ask something."""
LISTS_OF_RECORDS = {"helpdesks.customers"}
"""Pages of a record that are a list."""
OUT_OF_SIGHT = """() => {
  const within = (box) => box.left >= 0 && box.right <= innerWidth;
  return [...document.querySelectorAll("#page-actions .btn")]
    .filter((button) => button.checkVisibility())
    .filter((button) => !within(button.getBoundingClientRect()))
    .map((button) => button.textContent.trim());
}"""
"""What can be done with a page as a whole, and does not show."""
IN_VIEW = """() => [...document.querySelectorAll("main tbody tr, main .folded")].filter((row) => {
    const box = row.getBoundingClientRect();
    return box.height >= 24 && box.top >= 0 && box.bottom <= innerHeight;
}).length"""
HEAD_IS_SEEN = """() => {
    const head = document.querySelector("main thead th:not(.col-select)");
    const box = head.getBoundingClientRect();
    return head.contains(document.elementFromPoint(box.left + 8, box.top + box.height / 2));
}"""
"""Nothing lies upon it, and it has not been scrolled away."""


@pytest.fixture
def many(app: Flask, acme: Place) -> Place:
    """A tenant with a page of everything, and its admin."""
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        first = session.get_one(Asset, acme.asset)
        for number in range(MANY):
            client = Client(name=f"A client with quite a long name, number {number}")
            session.add(client)
            session.flush()
            asset = make_asset(first.integration_id, client.id, f"workstation-{number:04}")
            asset.needs_reboot = number % 3 == 0
            session.add(asset)
            session.flush()
            alert = make_alert(asset)
            alert.external_alert_id = f"many-{number}"
            alert.message = f"Disk C: of {asset.name} is nearly full, and has been for some days"
            session.add_all([alert, *_make_more(first.integration_id, number)])
            session.add_all([make_ticket(acme.helpdesk, asset, str(number)), make_delivery(asset)])
            record(Action.CLIENT_ADDED, Target("client", client.id, client.name))
    return acme


def make_more_lists(app: Flask, place: Place) -> None:
    """As many as a telephone shows, of all that a page of `many` does not have already."""
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        session.get_one(Tenant, place.id).steps_skipped = [ALL]  # which stand above some lists
        asset, tomorrow = session.get_one(Asset, place.asset), utc_now() + timedelta(days=1)
        products = session.scalars(select(SoftwareProduct.id).limit(LEAST)).all()
        for number, product in enumerate(products):
            name = f"The {number}th of its kind, with quite a long name"
            old, new = (
                make_asset(asset.integration_id, place.client, f"{word} {number} of the branch")
                for word in ("old", "new")
            )
            session.add_all((old, new))
            session.flush()
            rule = make_rule(name, place.channel, number + 2)
            rule.conditions |= {"severities": ["error", "warning"], "kinds": ["availability"]}
            window, channel, helpdesk = make_window(name), make_channel(name), make_helpdesk(name)
            window.starts = f"{tomorrow:%Y-%m-%dT%H:%M}"
            window.over_at = tomorrow + timedelta(hours=2)
            rows: list[Base] = [make_conflict(new, old, "clone"), rule, window, channel, helpdesk]
            rows += [make_token(name), make_feed(name, place.member), make_invitation(name)]
            rows += [
                EventSubscriber(host=f"number-{number}.example", types=[], last_event_id=0),
                SoftwareWatch(product_id=product, older_than="2.0", created_by="test"),
                SavedView(list_name="assets", name=name, query=f"q={number}"),
                Notice(kind=NoticeKind.CHANNEL_FAILING, subject=str(number), text=name),
                OrganizationMapping(
                    integration_id=asset.integration_id,
                    external_organization_id=f"more-{number}",
                    external_organization_name=name,
                ),
            ]
            session.add_all(rows)
    with app.app_context():
        for number in range(LEAST):
            email = f"person.{number}.of.the.help.desk@acme.example"
            add_user(email, PASSWORD, place.slug, "viewer")
        add_user(OWNER, PASSWORD, place.slug, "owner")


def sign_in_as_owner(page: Page, portal: str) -> None:
    page.goto(portal)
    page.get_by_label("Email address").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()


def _make_more(integration_id: int, number: int) -> list[Base]:
    run = SyncRun(
        integration_id=integration_id,
        kind=SyncKind.DEVICES,
        status=RunStatus.SUCCESS,
        trigger="schedule",
        updated=number,
    )
    product = SoftwareProduct(
        name=f"Suite {number} for Windows, the longer edition",
        name_key=f"suite {number}",
        publisher="A publisher",
        asset_count=number + 1,
        install_count=number + 1,
        version_count=3,
        newest_version="10.0.19041.685",
        older_count=number,
    )
    event = Event(type="rmm.device.created", subject=f"workstation-{number:04}", payload={})
    return [run, product, event]


def test_a_telephone_shows_eight_rows_of_every_list(
    app: Flask, live_portal: str, page: Page, many: Place
) -> None:
    """Of every page without the id of a record, but for those that are no lists."""
    make_more_lists(app, many)
    pages = {
        rule.endpoint: address(rule, many.slug, many)
        for rule in tenant_rules(app)
        if "GET" in methods(rule)
        and (rule.arguments == {"slug"} or rule.endpoint in LISTS_OF_RECORDS)
    }
    assert pages.keys() >= NO_LISTS, "name pages that there are"
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in_as_owner(page, live_portal)
    few: dict[str, int] = {}
    for endpoint in sorted(pages.keys() - NO_LISTS - NO_PAGES):
        page.goto(live_portal + pages[endpoint])
        number = page.evaluate(IN_VIEW)
        few |= {endpoint: number} if number < LEAST else {}
        assert page.evaluate(OUT_OF_SIGHT) == [], f"of {endpoint}"
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


def assert_kept_while_read_again(page: Page, portal: str, place: Place) -> None:
    """A menu that is open, a name that is half typed and rows that are ticked, on lists that read
    themselves again."""
    name, menu = page.get_by_label("Name of the view"), page.get_by_text("Save view", exact=True)
    for path, news in (
        ("deliveries/", "deliveries-changed"),
        ("alerts/", "sync-finished"),
        ("assets/", "sync-finished"),
        ("sync-runs/", "sync-finished"),
    ):
        page.goto(portal + place.url(path))
        boxes = page.locator("[data-select]")
        if boxes.count():
            boxes.first.check()
        menu.first.click()
        name.press_sequentially("Half a na")
        with page.expect_event("requestfinished"):
            page.evaluate(f"document.body.dispatchEvent(new Event('{news}'))")
        wait_until_still(page)
        expect(name).to_be_focused()
        name.press_sequentially("me")
        expect(name, path).to_have_value("Half a name")
        if boxes.count():
            expect(boxes.first).to_be_checked()
            expect(page.get_by_text("1 selected")).to_be_attached()


def test_a_view_of_a_list_is_kept_and_its_head_stays_in_sight(
    live_portal: str, page: Page, many: Place
) -> None:
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_portal + many.url("assets/"))
    page.get_by_label("Search assets").fill("workstation-000")
    rows = page.get_by_role("table", name="Assets").locator("tbody tr")
    expect(rows).to_have_count(10)
    page.get_by_text("Save view", exact=True).first.click()
    page.get_by_label("Name of the view").fill("First ten")
    assert_accessible(page)
    page.get_by_role("button", name="Save view").click()
    main = page.get_by_role("navigation", name="Main")
    expect(main.get_by_role("link", name="First ten")).to_have_attribute("aria-current", "page")
    assert_kept_while_read_again(page, live_portal, many)
    page.goto(live_portal + many.url("assets/?q=workstation-000"))
    expect(rows).to_have_count(10)

    page.get_by_text("Display", exact=True).click()
    page.get_by_label("Agent id").check()
    page.get_by_label("Compact").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("body")).to_have_attribute("data-density", "compact")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.get_by_role("button", name="Copy Agent id").first
    copy.click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == copy.get_attribute("data-copy")

    main.get_by_role("link", name="Assets").click()
    expect(rows).to_have_count(50)

    main.get_by_role("link", name="All views").click()
    expect(page.get_by_role("heading", name="Views", level=1)).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Delete First ten").click()
    expect(main.get_by_role("link", name="First ten")).to_have_count(0)
    page.get_by_role("region", name="Notifications").get_by_role("button", name="Undo").click()
    expect(main.get_by_role("link", name="First ten")).to_be_visible()
    expect(page.get_by_text("First ten is back.").last).to_be_visible()


def test_heads_stay_in_sight(live_portal: str, page: Page, many: Place) -> None:
    """Also of lists that are wider than the window, and where they are moved sideways."""
    sign_in(page, live_portal)
    every = "status,client,site,os,user,last_seen,type,serial,lan_ip,model,agent,agent_id"
    for width, paths in (
        (1440, (*LISTS, f"assets/?columns={every}", "alerts/?columns=severity,acknowledged")),
        (1024, ("assets/", "alerts/", "software/", "activity/", "audit/")),
    ):
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths:
            page.goto(live_portal + many.url(path))
            last = page.locator("main tbody tr").last
            expect(last).not_to_be_in_viewport()
            last.scroll_into_view_if_needed()
            assert page.evaluate(HEAD_IS_SEEN), f"{path} at {width}"


def test_a_system_takes_one_line(app: Flask, live_portal: str, page: Page, many: Place) -> None:
    version = "10 Enterprise LTSC 2021, 64 bit v21H2 (build 19044.5131)"
    with app.app_context(), tenant_scope(many.id), transaction() as session:
        session.execute(update(Asset).values(os_type="Windows", os_version=version))
    sign_in(page, live_portal)
    for width in (1200, 1300, 1431, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(live_portal + many.url("assets/?q=workstation"))
        system = page.locator("main tbody td:has(.system-version)").first
        expect(system).to_have_attribute("title", f"Windows {version}")
        assert system.evaluate("cell => cell.offsetHeight") < TWO_LINES, width
        assert page.evaluate(TABLE_FITS), width


def test_from_one_asset_of_a_list_to_the_next_by_keyboard(
    live_portal: str, page: Page, many: Place
) -> None:
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(live_portal + many.url("assets/?q=workstation-000&sort=-name"))
    page.get_by_role("link", name="workstation-0008").click()
    steps = page.get_by_role("navigation", name="Assets of the list")
    expect(steps.get_by_role("link", name="2 of 10")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="workstation-0007", level=1)).to_be_visible()
    page.get_by_role("link", name="Alerts", exact=True).last.focus()
    page.keyboard.press("Enter")
    alerts = page.get_by_role("table", name="Alerts").locator("tbody tr")
    expect(alerts).to_have_count(1)
    page.get_by_role("link", name=re.compile("^Resolved")).click()
    expect(page.get_by_role("heading", name="No alert matches the filters")).to_be_visible()
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="Alerts of workstation-0008")).to_be_visible()
    expect(alerts).to_have_count(1)

    page.get_by_role("link", name="Overview").click()
    page.get_by_label("New tag").fill("Night shift")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag night-shift")).to_be_visible()
    page.get_by_role("link", name="Write a note").click()
    page.get_by_label("Note", exact=True).fill("At the desk, see https://wiki.example.com")
    page.get_by_role("button", name="Save note").click()
    note = page.get_by_role("region", name="Note")
    expect(note.get_by_role("link", name="https://wiki.example.com")).to_be_visible()
    assert_accessible(page)
    steps.get_by_role("link", name="2 of 10").click()
    expect(page).to_have_url(re.compile(r"/assets/\?q=workstation-000&sort=-name$"))


def test_many_assets_are_tagged_and_retired_and_it_is_undone(
    app: Flask, live_portal: str, page: Page, many: Place
) -> None:
    with app.app_context(), tenant_scope(many.id), transaction() as session:
        gone = update(Asset).where(Asset.name.startswith("workstation-000"))
        session.execute(gone.values(missing_since=utc_now()))
    sign_in(page, live_portal)
    page.set_viewport_size({"width": 1440, "height": 900})
    notices = page.get_by_role("region", name="Notifications")
    page.goto(live_portal + many.url("assets/"))
    rows = page.get_by_role("table", name="Assets").locator("tbody tr")
    page.get_by_label("Select: workstation-0010").check()
    page.get_by_label("Select: workstation-0012").click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Tag", exact=True).fill("backup")
    page.get_by_role("button", name="Add tag").click()
    expect(notices.get_by_text("Tagged 3 assets backup.")).to_be_visible()
    expect(rows.get_by_text("backup")).to_have_count(3)
    assert_accessible(page)
    notices.get_by_role("button", name="Undo").click()
    expect(notices.get_by_text("Undone: tagged 3 assets backup.")).to_be_visible()
    expect(rows.get_by_text("backup")).to_have_count(0)  # the page has read its rows again

    page.get_by_label("Select: workstation-0010").check()
    page.get_by_role("combobox", name="Client for those selected").fill("number 7")
    page.get_by_role("option", name=re.compile("number 7\\b")).click()
    page.get_by_role("button", name="Give to client").click()
    expect(notices.get_by_text(re.compile("^1 asset went to A client .* number 7"))).to_be_visible()
    row = rows.filter(has_text="workstation-0010")
    expect(row).to_contain_text("number 7")
    page.locator("h1").click()
    page.keyboard.press("u")
    expect(notices.get_by_text(re.compile("^Undone: "))).to_be_visible()
    expect(row).to_contain_text("number 10")

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_portal + many.url("assets/?status=missing"))
    page.get_by_label("Select: workstation-0003").check()
    assert_fits(page)
    assert_accessible(page)
    page.get_by_role("button", name="Retire").click()
    expect(notices.get_by_text("Retired workstation-0003.")).to_be_visible()
    expect(rows).to_have_count(9)
    notices.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(10)


def test_a_view_is_saved_without_scripts(live_portal: str, browser: Browser, many: Place) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_portal)
    page.goto(live_portal + many.url("assets/?q=workstation-000"))
    page.get_by_text("Save view", exact=True).first.click()
    page.get_by_label("Name of the view").fill("First ten")
    page.get_by_role("button", name="Save view").click()
    expect(page).to_have_url(re.compile(r"q=workstation-000&view=\d+$"))
    page.get_by_role("link", name="All views").click()
    page.get_by_role("button", name="Delete First ten").click()
    page.get_by_role("button", name="Bring back First ten").click()
    expect(page.get_by_role("link", name="First ten").first).to_be_visible()
    context.close()
