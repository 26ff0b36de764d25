"""The code that Tactical wants: asked for on every page, entered, and told what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.models.integrations.integration import AuthMode
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.accounts.users import add_user
from tactical_simulator import SimulatedTactical
from tests.support.msp import Msp, msp
from tests.tactical.accounts import code
from tests.tactical.talking import admin
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.test_in_browser import EMAIL, PASSWORD, go, sign_in
from tests.web.worker import working

__all__ = ["msp"]

pytestmark = pytest.mark.one_database


@pytest.fixture
def signed_out(app: Flask, msp: Msp, tactical: SimulatedTactical, redis_url: str) -> Iterator[Msp]:
    """Connected with a code, whose token then died."""
    user = admin(tactical)
    test = msp.connect(
        api_key=None,
        auth_mode=AuthMode.PASSWORD,
        username=user.username,
        password=user.password,
        totp_code=code(tactical),
    )
    assert test.ok
    tactical.control.access.revoke_tokens()
    assert msp.sync(SyncKind.STATUS).status is RunStatus.FAILED
    add_user(EMAIL, PASSWORD, "acme", "admin")
    with working(app, redis_url):
        yield msp


def test_a_code_is_asked_for_until_the_portal_is_signed_in(
    signed_out: Msp, live_portal: str, page: Page
) -> None:
    sign_in(page, live_portal)
    go(page, "Assets")
    banner = page.get_by_role("region", name="One-time code for Tactical")
    field = banner.get_by_label("One-time code", exact=True)
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert_fits(page)

    field.fill("000000")
    banner.get_by_role("button", name="Sign in").click()
    errands = page.get_by_role("region", name="Requests to other servers")
    expect(errands.get_by_text("Tactical rejected the one-time code.")).to_be_visible()
    expect(page.get_by_role("heading", name="Assets", level=1)).to_be_visible()

    field.fill(code(signed_out.tactical))
    banner.get_by_role("button", name="Sign in").click()
    expect(errands.get_by_text("The portal is signed in to Tactical.")).to_be_visible()
    expect(banner).to_have_count(0)
    page.set_viewport_size({"width": 1280, "height": 900})
    go(page, "Sync runs")
    expect(banner).to_have_count(0)
