"""The dashboard in a real browser: one screen, and its pictures by the keyboard."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import update

from portal.clock import begin_of, day_of, utc_now
from portal.db import transaction
from portal.models import AlertRule, Asset, AssetChange, Client, Helpdesk, Integration
from portal.models.alerts.alert import Severity
from portal.models.assets.change import ChangeAction
from portal.models.deliveries.delivery import DeliveryStatus
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.assets.daily_counts import COLUMNS
from portal.services.assets.nightly_counts import keep_counts
from tests.web.accessible import assert_accessible, wait_until_still
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.world import Place, make_alert, make_asset, make_conflict, make_delivery

pytestmark = pytest.mark.one_database

NAMES = ("Castellanos Precision Tools & Partners", "Jäger & Söhne", "Müllner", "Stavros", "Zed")
SYSTEMS = ("10 Pro", "11 Pro", "11 Enterprise", "7 Professional", "Server 2019", "Server 2022")
YESTERDAY = day_of(utc_now()) - timedelta(days=1)


def fill(place: Place) -> None:
    """Everything that the dashboard can show, and more than it shows at once."""
    with transaction() as session:
        own, now = session.get_one(Asset, place.asset), utc_now()
        clients = [Client(name=name) for name in NAMES]
        session.add_all(clients)
        session.flush()
        for number, client in enumerate(clients):
            asset = make_asset(own.integration_id, client.id, f"PC-{number}", os_type="Windows")
            asset.agent_status, asset.agent_version = "overdue", f"2.{number}.0"
            session.add(asset)
            session.flush()
            for severity in (Severity.ERROR, Severity.WARNING):
                alert = make_alert(asset)
                alert.severity, alert.external_alert_id = severity, f"{severity}-{number}"
                session.add(alert)
        for number, name in enumerate(SYSTEMS):
            asset = make_asset(own.integration_id, place.client, f"S-{number}", os_type="Windows")
            asset.os_version = name
            session.add(asset)
        for status in (DeliveryStatus.FAILED, DeliveryStatus.NEEDS_REVIEW):
            delivery = make_delivery(own)
            delivery.status, delivery.reason = status, "The body is no JSON."
            session.add(delivery)
        session.add(make_conflict(own, kind="clone"))
        session.execute(update(AlertRule).values(switched_on_at=None))
        session.execute(update(Helpdesk).values(failing_since=now, last_error="It answered 503."))
        session.execute(update(Integration).values(last_error="Tactical answered 500."))
        added = AssetChange(asset_id=own.id, action=ChangeAction.CREATED, cause="schedule")
        added.at = own.created_at = begin_of(YESTERDAY) - timedelta(days=2)
        session.add(added)
    keep_counts(YESTERDAY, {place.client: dict.fromkeys(COLUMNS, 3)})


def test_it_is_one_screen_and_its_days_are_reached_by_the_keyboard(
    app: Flask, acme: Place, page: Page, live_portal: str
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
        with tenant_scope(acme.id):
            fill(acme)
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, live_portal + acme.url())
    page.get_by_role("button", name="Hide the first steps").click()
    expect(page.locator(".first-steps")).to_have_count(0)
    expect(page.get_by_text(re.compile("more things need somebody"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 900

    table = page.get_by_text("Assets by status as a table")
    page.get_by_role("link", name="Unknown").focus()
    page.keyboard.press("Tab")
    expect(table).to_be_focused()
    page.keyboard.press("Enter")
    assert_accessible(page)
    with page.expect_event("requestfinished"):  # it reads itself again, and the table stays open
        page.evaluate("document.body.dispatchEvent(new Event('sync-finished'))")
    wait_until_still(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_portal}{acme.url(f'assets/?as_of={YESTERDAY}')}")
    expect(page.get_by_role("heading", name="Assets", exact=True)).to_be_visible()
    expect(page.get_by_text(acme.slug + "-pc")).to_be_visible()
    page.get_by_role("link", name="Back to today").click()
    expect(page).to_have_url(f"{live_portal}{acme.url('assets/')}")
