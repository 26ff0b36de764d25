"""From a tenant without anything to a mail acknowledged by its link, and the end of its thread."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from portal.db import db
from portal.models import Asset
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.accounts.users import add_user
from tactical_simulator import SimulatedTactical
from tests.support.mail_server import MailServer, mail_server
from tests.web.worker import working

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "admin@acme.example", "a long enough password"
HOME = "/t/acme/"
PATIENCE_SECONDS = 20


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server("none", signs_in=False) as server:
        yield server


@pytest.fixture
def tenant(app: Flask) -> int:
    """It has an admin, and nothing else."""
    with app.app_context():
        made = add_tenant("Acme MSP", "acme")
        add_user(EMAIL, PASSWORD, "acme", "admin")
        return made.id


@pytest.fixture
def admin(app: Flask, page: Page, tenant: int, live_portal: str, redis_url: str) -> Iterator[Page]:
    """Signed in, with a worker."""
    page.goto(f"{live_portal}/sign-in")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_portal}{HOME}")
    with working(app, redis_url):
        yield page


def connect(admin: Page, tactical: SimulatedTactical) -> None:
    """To assets of one client."""
    admin.get_by_role("link", name="Connect Tactical RMM").click()
    admin.get_by_label("Instance URL").fill(tactical.url)
    admin.get_by_label("API key", exact=True).last.fill(tactical.api_key)
    admin.get_by_role("button", name="Save and test").click()
    admin.get_by_role("link", name="Map organizations").click()
    rows = admin.get_by_role("table", name="Organizations").locator("tbody tr")
    expect(rows).to_have_count(3)
    rows.first.get_by_role("combobox").focus()
    admin.keyboard.type("Contoso")
    expect(admin.get_by_role("option", selected=True)).to_contain_text("Contoso", timeout=15_000)
    admin.keyboard.press("Enter")
    expect(admin.get_by_text(re.compile("is now mapped to Contoso")).last).to_be_visible()
    admin.get_by_role("navigation", name="Main").get_by_role("link", name="Dashboard").click()
    admin.get_by_role("button", name="Sync without preview").click()
    done = admin.get_by_role("region", name="Devices sync").get_by_role("status")
    expect(done).to_contain_text("created")


def install_webhook(admin: Page, live_portal: str) -> None:
    admin.goto(f"{live_portal}{HOME}integrations/tacticalrmm/webhook/")
    admin.get_by_label("As the server's default").check()
    admin.get_by_role("button", name="Preview the changes").click()
    admin.get_by_role("button", name="Install in Tactical").click()
    outcome = admin.get_by_role("region", name="Installation").get_by_role("status")
    expect(outcome).to_have_text("Installed. Tactical's test call arrived.")


def add_mail_channel(admin: Page, live_portal: str, mails: MailServer) -> None:
    admin.goto(f"{live_portal}{HOME}channels/new/mail")
    admin.get_by_label("Name", exact=True).fill("Night shift")
    admin.get_by_label("Mail server").fill("127.0.0.1")
    admin.get_by_label("Encryption").select_option("none")
    admin.get_by_label("Port").fill(str(mails.port))
    admin.get_by_label("From").fill("portal@acme.example")
    admin.get_by_label("To", exact=True).fill("night@acme.example")
    admin.get_by_role("button", name="Add channel").click()
    expect(admin.get_by_role("heading", name="Night shift")).to_be_visible()


def find_server(app: Flask, tenant: int) -> str:
    """The agent of an asset that is a server."""
    with app.app_context(), tenant_scope(tenant):
        servers = select(Asset.rmm_device_id).where(Asset.asset_type == "server")
        found = db.session.scalars(servers).first()
    assert found is not None
    return found


def wait_for_mail(mails: MailServer, number: int) -> EmailMessage:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(mails.envelopes) < number:
        assert time.monotonic() < give_up, f"No mail number {number} came."
        time.sleep(0.05)
    return mails.mails[number - 1]


def read(mail: EmailMessage) -> str:
    plain = mail.get_body(["plain"])
    assert plain is not None
    text: str = plain.get_content()
    return text


def test_from_a_new_tenant_to_a_mail_that_is_acknowledged_and_its_thread_ends(
    app: Flask,
    tenant: int,
    admin: Page,
    browser: Browser,
    tactical: SimulatedTactical,
    live_portal: str,
    mails: MailServer,
) -> None:
    connect(admin, tactical)
    install_webhook(admin, live_portal)
    admin.goto(f"{live_portal}{HOME}rules/")
    expect(admin.get_by_text("No rules: nobody is told of alerts")).to_be_visible()

    add_mail_channel(admin, live_portal, mails)
    admin.get_by_role("button", name="Send a test message").click()
    expect(admin.get_by_text("The test message was sent.").first).to_be_visible()
    test = wait_for_mail(mails, 1)
    assert test["Subject"] == "Test message of Acme MSP"
    assert "somebody pressed “Send test”" in read(test)
    admin.reload()
    expect(admin.get_by_text("Last good test")).to_be_visible()

    admin.goto(f"{live_portal}{HOME}rules/")
    admin.get_by_role("button", name="Take these rules").click()
    expect(admin.get_by_text("Servers that do not answer", exact=True)).to_be_visible()

    pk = tactical.control.alerts.trigger(find_server(app, tenant), "availability")
    assert pk is not None
    raised = wait_for_mail(mails, 2)
    link = re.search(r"https?://\S+?(/acknowledge/\S+)", read(raised))
    assert link

    stranger = browser.new_context().new_page()
    stranger.goto(live_portal + link[1])
    stranger.get_by_label("Note").fill("On my way.")
    stranger.get_by_role("button", name="Acknowledge").click()
    expect(stranger.get_by_text("By the link sent to Night shift")).to_be_visible()
    stranger.context.close()

    admin.goto(f"{live_portal}{HOME}alerts/")
    admin.get_by_role("table").get_by_role("rowheader").get_by_role("link").first.click()
    expect(admin.get_by_text(re.compile("Told by Night shift .+ by the link sent"))).to_be_visible()
    assert_own_zone(admin, browser)
    expect(admin.get_by_text("On my way.", exact=True)).to_be_visible()
    expect(admin.get_by_text("250 2.0.0 Queued as 4711").first).to_be_visible()

    tactical.control.alerts.resolve(pk)
    resolved = wait_for_mail(mails, 3)
    assert resolved["In-Reply-To"] == resolved["References"] == raised["Message-ID"]
    assert resolved["Subject"].startswith("Resolved: ")
    stranger = browser.new_context().new_page()
    stranger.goto(live_portal + link[1])
    expect(stranger.get_by_text("By the link sent to Night shift")).to_be_visible()
    stranger.context.close()
    assert len(mails.envelopes) == 3


def assert_own_zone(admin: Page, browser: Browser) -> None:
    """Moments in sentences are by the reader's clock, with UTC on hover."""
    signed_in: Any = admin.context.storage_state()
    context = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB", storage_state=signed_in)
    page = context.new_page()
    page.goto(admin.url)
    told = page.locator(".answer time")
    expect(told).to_have_count(2)
    there = datetime.fromisoformat(told.first.get_attribute("datetime") or "")
    here = there.astimezone(ZoneInfo("Asia/Tokyo"))
    # On the same day without it, unless midnight has passed there since.
    expect(told.first).to_have_text(re.compile(f"^(on {here.day} .+ )?at {here:%H:%M}$"))
    both = rf"^{here.day} \w+ {here:%Y, %H:%M} \({there.day} \w+ {there:%Y, %H:%M} UTC\)$"
    expect(told.first).to_have_attribute("title", re.compile(both))
    in_utc = page.get_by_text(re.compile(r"\bUTC\b")).locator("visible=true")
    expect(in_utc).to_have_count(0)
    context.close()
