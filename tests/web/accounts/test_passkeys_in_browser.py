"""A passkey of a real browser, added and signed in with: Chromium with a virtual authenticator."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.services.accounts.users import add_user
from tests.web.accessible import assert_accessible, assert_fits, assert_right_in_each_look
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


def add_authenticator(page: Page) -> None:
    """One that verifies its user and keeps keys."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def give_password(page: Page, portal: str) -> None:
    page.goto(f"{portal}/sign-in")
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_label("Account", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_passkey_is_added_and_signs_in_after_the_password_and_alone(
    app: Flask, live_portal: str, page: Page, acme: Place
) -> None:
    page.emulate_media(reduced_motion="reduce")
    portal = live_portal.replace("127.0.0.1", "localhost")
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "owner")
    add_authenticator(page)
    give_password(page, portal)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("Laptop")
    assert_accessible(page)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    assert page.locator(".recovery-codes li").count() == 10
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    sign_out(page)
    give_password(page, portal)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    sign_out(page)
    page.get_by_role("link", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    page.goto(f"{portal}/account/second-factor/")
    expect(page.get_by_text("Laptop")).to_be_visible()
    assert_right_in_each_look(page)
    page.set_viewport_size({"width": 1280, "height": 844})
    page.get_by_role("link", name="Set up").click()
    page.get_by_role("button", name="Continue with a passkey").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_a_browser_that_cannot_verify_its_user_says_so_and_stays(
    app: Flask, live_portal: str, page: Page, acme: Place
) -> None:
    portal = live_portal.replace("127.0.0.1", "localhost")
    page.goto(f"{portal}/sign-in")
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    page.get_by_role("link", name="Sign in with a passkey").click()
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    expect(page.get_by_role("status")).to_contain_text("No passkey was given")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()
    assert_accessible(page)
