"""A run that some agents failed in: what a person sees, and reading those again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.services.accounts.users import add_user
from tests.support.msp import Msp
from tests.web.accessible import assert_accessible
from tests.web.test_in_browser import EMAIL, PASSWORD, sign_in
from tests.web.worker import working

pytestmark = pytest.mark.one_database


@pytest.fixture
def run_id(msp: Msp) -> int:
    """Of a sync that could not use three agents, each for being of a site that is not listed."""
    add_user(EMAIL, PASSWORD, "acme", "admin")
    msp.import_fleet()
    rows = [{"at": n, "set": {"site": 999_999}} for n in range(3)]
    msp.tactical.control.faults.add(kind="bad_rows", path="/beta/v1/agent/", rows=rows)
    return msp.sync().id


@pytest.fixture
def work(app: Flask, redis_url: str) -> Iterator[None]:
    with working(app, redis_url):
        yield


def test_the_agents_that_failed_are_read_again(
    live_portal: str, page: Page, msp: Msp, run_id: int, work: None
) -> None:
    sign_in(page, live_portal)
    page.goto(f"{live_portal}/t/acme/sync-runs/{run_id}")
    expect(page.get_by_text("Nothing changed: 21 agents as before, 3 failed.")).to_be_visible()
    wrong = page.get_by_role("region", name="What went wrong")
    assert_accessible(page)
    wrong.get_by_role("link", name="3 agents").click()
    expect(page.get_by_text("3 entries")).to_be_visible()

    wrong.get_by_role("button", name="Retry 3 agents").click()
    expect(page.get_by_role("heading", level=1, name="Chosen agents sync")).to_be_visible()
    panel = page.get_by_role("region", name="Chosen agents sync")
    expect(panel.get_by_role("status")).to_have_text("Nothing changed: 3 agents as before.")
