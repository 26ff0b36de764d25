"""The whole way in a real browser: set up, linked, signed in with, and proved again."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.services.accounts.users import add_user
from tests.support.identity_provider import CLIENT_SECRET, IdentityProvider
from tests.web.accessible import assert_right_in_each_look
from tests.web.conftest import work
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


def expect_message(page: Page, words: str) -> None:
    """Where it is seen: it is announced to screen readers too."""
    notices = page.get_by_role("region", name="Notifications")
    expect(notices.get_by_text(words)).to_be_visible()


def test_an_owner_sets_it_up_links_herself_and_signs_in_with_it(
    app: Flask, live_portal: str, page: Page, acme: Place, idp: IdentityProvider
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "owner")
    page.goto(f"{live_portal}/sign-in?next=/t/acme/single-sign-on/")
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Skip for now").click()
    assert_right_in_each_look(page)
    page.get_by_label("Issuer").fill(idp.issuer)
    page.get_by_label("Client ID").fill("portal")
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_role("button", name="Save").click()
    expect_message(page, "Saved.")
    work(app, acme.id)
    page.reload()
    expect(page.get_by_text("The identity provider works.")).to_be_visible()
    assert_right_in_each_look(page)

    page.goto(f"{live_portal}/account")
    assert_right_in_each_look(page)
    page.get_by_role("button", name="Link Acme IT").click()
    assert_right_in_each_look(page)
    page.get_by_role("link", name="Continue").click()
    expect_message(page, "From now on you can sign in with your company.")

    page.context.clear_cookies()
    page.goto(f"{live_portal}/sign-in")
    page.get_by_role("link", name="Sign in with your company").click()
    assert_right_in_each_look(page)
    page.get_by_label("Short name of your company").fill("acme")
    page.get_by_role("button", name="Continue").click()
    assert_right_in_each_look(page)
    idp.change_claims = lambda claims: claims.update(auth_time=claims["iat"] - 3600)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    idp.change_claims = None
    page.goto(f"{live_portal}/t/acme/single-sign-on/")
    page.get_by_label("More scopes").fill("groups")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert_right_in_each_look(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in with your company again").click()
    expect(opened.value.get_by_role("heading", name="It is you")).to_be_visible()
    assert_right_in_each_look(opened.value)
    opened.value.close()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("More scopes")).to_have_value("groups")
