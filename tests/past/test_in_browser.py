"""From a list of today to that of a past day and back, and the month of a client on paper, in a
real browser."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from portal.clock import begin_of, day_of, utc_now
from portal.db import transaction
from portal.models import AlertRule, Asset, AssetChange, AssetSoftware
from portal.models.assets.change import ChangeAction
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.assets.daily_counts import COLUMNS
from portal.services.assets.nightly_counts import keep_counts
from portal.services.past.days import Month, say_day
from tests.web.accessible import assert_right_in_each_look, show_as
from tests.web.conftest import acme
from tests.web.test_in_browser import EMAIL, PASSWORD, go, sign_in
from tests.web.world import Place, make_asset

__all__ = ["acme"]

pytestmark = pytest.mark.one_database

DAY = day_of(utc_now()) - timedelta(days=10)
THEN = begin_of(DAY) + timedelta(hours=9)
SINCE = THEN + timedelta(days=5)
MONTH = Month.of(DAY)


@pytest.fixture
def past(app: Flask, acme: Place) -> Place:
    """Since that day `acme-pc`, a workstation, was renamed and is a server, and `new-pc` came."""
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        pc = session.get_one(Asset, acme.asset)
        new = make_asset(pc.integration_id, pc.client_id, "new-pc")
        pc.created_at, new.created_at = MONTH.start - timedelta(days=3), SINCE
        pc.asset_type = "server"
        session.add(new)
        session.flush()
        for asset, action, column, before, after in (
            (pc, "created", "", None, None),
            (pc, "updated", "name", "old-pc", pc.name),
            (pc, "updated", "asset_type", "workstation", "server"),
            (new, "created", "", None, None),
        ):
            change = AssetChange(asset_id=asset.id, action=ChangeAction(action), column=column)
            change.before, change.after, change.cause = before, after, "schedule"
            change.at = SINCE if column else asset.created_at
            session.add(change)
        session.query(AssetSoftware).update({"first_seen_at": THEN})
    with app.app_context(), tenant_scope(acme.id):
        keep_counts(DAY, {acme.client: dict.fromkeys(COLUMNS, 0) | {"overdue": 1}})
    return acme


def choose(page: Page, day: date) -> None:
    page.get_by_text("Past day", exact=True).click()
    page.get_by_label("Day", exact=True).fill(str(day))
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text(f"As of {say_day(day)} · Back to today")).to_be_visible()


def test_from_today_to_a_past_day_and_back(live_portal: str, page: Page, past: Place) -> None:
    sign_in(page, live_portal)
    go(page, "Assets")
    rows = page.get_by_role("table", name=re.compile("^Assets")).locator("tbody tr")
    expect(rows).to_have_count(2)
    choose(page, DAY)
    expect(page).to_have_url(re.compile(rf"/assets/\?as_of={DAY}$"))
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("old-pc")
    counts = page.get_by_role("region", name="Counts of that day")
    expect(counts.get_by_role("link", name="1 Workstations")).to_be_visible()
    expect(counts.get_by_text("1 Overdue that night")).to_be_visible()
    assert_right_in_each_look(page)
    show_as(page, "light", 1280)

    page.get_by_role("searchbox", name="Search assets").fill("acme")
    expect(page.get_by_role("heading", name="No asset matches")).to_be_visible()
    page.get_by_role("searchbox", name="Search assets").fill("old")
    expect(rows).to_have_count(1)
    page.get_by_role("combobox", name="Type").select_option("server")
    expect(rows).to_have_count(0)
    page.get_by_role("combobox", name="Type").select_option("workstation")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"as_of={DAY}.*q=old.*type=workstation"))
    rows.get_by_role("link", name="old-pc").click()
    expect(page.get_by_role("heading", name="acme-pc", level=1)).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Back to today").click()
    expect(page).to_have_url(re.compile(r"/assets/\?q=old&type=workstation$"))
    go(page, "Assets")
    expect(rows).to_have_count(2)

    for name, has in (("Software", "Acme Suite"), ("Clients", "Acme Client")):
        go(page, name)
        choose(page, DAY)
        row = page.get_by_role("table", name=re.compile(f"^{name} as of")).locator("tbody tr")
        expect(row).to_contain_text(has)
        assert_right_in_each_look(page)
        show_as(page, "light", 1280)
    heads = page.get_by_role("columnheader").all_inner_texts()
    cells = row.locator("> *").all_inner_texts()
    numbers = dict(zip(heads, cells, strict=True))
    assert {name: numbers[name] for name in ("Workstations", "Servers", "Online", "Overdue")} == {
        "Workstations": "1",
        "Servers": "0",
        "Online": "0",
        "Overdue": "1",
    }
    row.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_text(f"As of {say_day(DAY)} · Back to today")).to_be_visible()
    expect(rows).to_contain_text("old-pc")
    choose(page, day_of(MONTH.start) - timedelta(days=1))
    expect(rows).to_have_count(1)


def test_the_month_of_a_client_on_paper(
    app: Flask, live_portal: str, page: Page, past: Place
) -> None:
    page.add_init_script("window.print = () => { document.title = 'printed'; }")
    sign_in(page, live_portal)
    with app.app_context(), tenant_scope(past.id), transaction() as session:
        session.execute(delete(AlertRule))  # so that a first step is left
    page.goto(live_portal + past.url())
    steps = page.get_by_role("heading", name="First steps")
    expect(steps).to_be_visible()
    page.emulate_media(media="print")
    expect(steps).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto(live_portal + past.url(f"clients/{past.client}/report?month={MONTH}"))
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print")
    for away in (".sidebar", ".topbar", ".tabs", ".help-link", ".report-bar", ".copy-button"):
        expect(page.locator(away).first).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Acme Client, {MONTH.name}")
    expect(page.locator(".report-bill")).to_be_visible()
    fleet = page.get_by_role("region", name=re.compile("^Fleet on"))
    expect(fleet.get_by_role("columnheader", name="Serial number")).to_be_visible()
    expect(fleet.get_by_role("row", name=re.compile("acme-pc"))).to_be_visible()
