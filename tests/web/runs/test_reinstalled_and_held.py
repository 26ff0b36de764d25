"""A computer that is re-installed, and a run that is held: what a person sees of them, by
keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.db import db
from portal.models.runs.sync_run import RunStatus
from portal.services.accounts.users import add_user
from tests.support.msp import Msp
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.worker import working

pytestmark = pytest.mark.one_database


@pytest.fixture
def work(app: Flask, redis_url: str) -> Iterator[None]:
    with working(app, redis_url):
        yield


def test_a_reinstalled_computer_keeps_its_page(
    live_portal: str, page: Page, msp: Msp, work: None
) -> None:
    add_user(EMAIL, PASSWORD, "acme", "admin")
    msp.import_fleet()
    control, old = msp.tactical.control, msp.agents[0]
    control.computers.new_board(old, "5CG8241KL0")
    msp.sync()
    control.agents.seen(agent_id=old, seconds_ago=3600)
    asset_id = msp.assets()[old]["asset_id"]
    new = control.computers.reinstall(old)

    sign_in(page, live_portal)
    page.goto(f"{live_portal}/t/acme/sync-runs/")
    page.get_by_role("button", name="Sync devices").press("Enter")
    expect(page.get_by_role("status").first).to_have_text("1 relinked.")
    assert_accessible(page)

    page.goto(f"{live_portal}/t/acme/assets/{asset_id}")
    facts = page.get_by_role("region", name="In Tactical RMM")
    expect(facts.get_by_text(new)).to_be_visible()
    expect(facts.locator(".fact").filter(has_text="Earlier agents")).to_contain_text(old)
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="History").press("Enter")
    row = page.get_by_role("row").filter(has_text="Re-installed: has a new agent")
    expect(row.locator("del")).to_contain_text([old])
    expect(row.locator("ins")).to_contain_text([new])
    assert_accessible(page)
    assert_fits(page)


def test_a_held_run_is_applied_from_its_page(
    live_portal: str, page: Page, msp: Msp, work: None
) -> None:
    add_user(EMAIL, PASSWORD, "acme", "admin")
    msp.import_fleet(brake_assets=1, brake_percent=1)
    gone = msp.agents[:4]
    for agent_id in gone:
        msp.tactical.control.agents.remove(agent_id)
    run = msp.sync()
    assert run.status is RunStatus.HELD
    assert all(msp.assets()[agent_id]["missing_since"] is None for agent_id in gone)

    sign_in(page, live_portal)
    page.goto(f"{live_portal}/t/acme/sync-runs/{run.id}")
    expect(page.get_by_text("This run was held")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Look at the plan").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Held changes")).to_be_visible()
    expect(page.get_by_role("table").get_by_text("Mark as missing")).to_have_count(4)
    assert_accessible(page)
    page.get_by_role("button", name="Apply all").press("Enter")
    expect(page.get_by_role("status").first).to_have_text("4 gone from Tactical.")
    assert_accessible(page)
    db.session.rollback()  # what was read before is not what there is now
    assets = msp.assets()
    assert all(assets[agent_id]["missing_since"] for agent_id in gone)
