"""From a tenant without rules to a mail that is acknowledged by its link, and its thread's end."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from portal.db import db
from portal.models import Asset
from portal.services import tick
from portal.services.accounts.users import add_user
from tests.alerts.conftest import Msp
from tests.support.mail_server import MailServer, mail_server
from tests.web.worker import working

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "admin@acme.example", "a long enough password"
PATIENCE_SECONDS = 20


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server("none", signs_in=False) as server:
        yield server


@pytest.fixture
def admin(page: Page, msp: Msp, live_portal: str, redis_url: str) -> Iterator[Page]:
    """Signed in, with a worker."""
    with msp.app.app_context():
        add_user(EMAIL, PASSWORD, msp.slug, "admin")
    page.goto(f"{live_portal}/sign-in?next={msp.url('rules/')}")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules/")
    with working(msp.app, redis_url):
        yield page


def add_mail_channel(admin: Page, live_portal: str, msp: Msp, mails: MailServer) -> None:
    admin.goto(live_portal + msp.url("channels/new/mail"))
    admin.get_by_label("Name", exact=True).fill("Night shift")
    admin.get_by_label("Mail server").fill("127.0.0.1")
    admin.get_by_label("Encryption").select_option("none")
    admin.get_by_label("Port").fill(str(mails.port))
    admin.get_by_label("From").fill("portal@acme.example")
    admin.get_by_label("To", exact=True).fill("night@acme.example")
    admin.get_by_role("button", name="Add channel").click()
    expect(admin.get_by_role("heading", name="Night shift")).to_be_visible()


def server_agent(msp: Msp) -> int:
    """Which of the agents runs on a server."""
    with msp.scope():
        servers = select(Asset.rmm_device_id).where(Asset.asset_type == "server")
        found = db.session.scalars(servers).all()
    return msp.agents.index(found[0])


def sync(msp: Msp) -> None:
    """And the clock goes on: what is due is enqueued."""
    msp.sync()
    with msp.app.app_context():
        tick.tick()


def wait_for_mail(mails: MailServer, number: int) -> EmailMessage:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(mails.envelopes) < number:
        assert time.monotonic() < give_up, f"No mail number {number} came."
        time.sleep(0.05)
    return mails.mails[number - 1]


def test_a_mail_is_acknowledged_by_its_link_and_its_thread_ends(
    admin: Page, browser: Browser, msp: Msp, live_portal: str, mails: MailServer
) -> None:
    expect(admin.get_by_text("No rules: nobody is told of alerts")).to_be_visible()
    add_mail_channel(admin, live_portal, msp, mails)
    admin.goto(live_portal + msp.url("rules/"))
    admin.get_by_role("button", name="Take these rules").click()
    expect(admin.get_by_text("Servers that do not answer", exact=True)).to_be_visible()

    pk = msp.raise_alert(server_agent(msp), "availability")
    sync(msp)
    raised = wait_for_mail(mails, 1)
    plain = raised.get_body(["plain"])
    assert plain is not None
    link = re.search(r"https?://\S+?(/acknowledge/\S+)", plain.get_content())
    assert link

    stranger = browser.new_context().new_page()
    stranger.goto(live_portal + link[1])
    stranger.get_by_label("Note").fill("On my way.")
    stranger.get_by_role("button", name="Acknowledge").click()
    expect(stranger.get_by_text("By the link sent to Night shift")).to_be_visible()
    stranger.context.close()

    [alert_id] = msp.ids_of([pk])
    admin.goto(live_portal + msp.url(f"alerts/{alert_id}"))
    told = r"Told by Night shift at \d\d:\d\d UTC, acknowledged by the link sent to Night shift at"
    expect(admin.get_by_text(re.compile(told))).to_be_visible()
    expect(admin.get_by_text("On my way.", exact=True)).to_be_visible()
    expect(admin.get_by_text("250 2.0.0 Queued as 4711").first).to_be_visible()

    msp.tactical.control.alerts.resolve(pk)
    sync(msp)
    resolved = wait_for_mail(mails, 2)
    assert resolved["In-Reply-To"] == resolved["References"] == raised["Message-ID"]
    assert resolved["Subject"].startswith("Resolved: ")
    stranger = browser.new_context().new_page()
    stranger.goto(live_portal + link[1])
    expect(stranger.get_by_text("By the link sent to Night shift")).to_be_visible()
    stranger.context.close()
    assert len(mails.envelopes) == 2
