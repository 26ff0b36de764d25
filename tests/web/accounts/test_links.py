"""Links with a code: it is in no address that a browser sends, with scripts and without."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from portal.scope import tenant_scope
from portal.services.accounts.invitations import invite
from portal.services.accounts.password_changes import issue_reset
from portal.services.accounts.users import add_user
from portal.services.alerts.links import make_link
from tests.support.mail_server import MailServer
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.accounts.test_link_mails import LINK, channel, send, server
from tests.web.conftest import code_of
from tests.web.world import Place, make_place, make_user

__all__ = ["channel", "server"]

pytestmark = pytest.mark.one_database
OPENERS = {"/reset": "Choose a new password", "/invitation": "Join Acme IT"}


@pytest.fixture
def links(app: Flask, acme: Place) -> dict[str, str]:
    app.config["WTF_CSRF_ENABLED"] = False
    make_user(app, "anna@acme.example", acme, role="owner")
    with app.app_context():
        return {
            "/reset": issue_reset("anna@acme.example").link,
            "/invitation": invite("new@acme.example", "acme", "viewer").link,
        }


def test_the_code_of_a_link_is_in_no_address(
    app: Flask, acme: Place, links: dict[str, str]
) -> None:
    with app.app_context(), tenant_scope(acme.id):
        made = [*links.values(), make_link(1, None)]
    for link in made:
        assert re.fullmatch(
            r"http://localhost:5000/(reset|invitation|acknowledge/)#[\w.-]{43,}", link
        )


@pytest.mark.parametrize("path", OPENERS)
def test_without_scripts_the_link_is_pasted(
    http: FlaskClient, links: dict[str, str], path: str
) -> None:
    assert 'name="code"' in http.get(path).text
    empty = http.post(path, data={"code": " "})
    assert (empty.status_code, "Paste the whole link" in empty.text) == (422, True)
    for typed in (links[path], code_of(links[path]), f" {links[path]}\n"):
        assert OPENERS[path] in http.post(path, data={"code": typed}).text


@pytest.mark.parametrize("path", [*OPENERS, "/acknowledge/"])
def test_links_of_old_lead_to_those_of_today(http: FlaskClient, path: str) -> None:
    code = "x" * 43
    assert http.get(f"{path.rstrip('/')}/{code}").location == f"{path}#{code}"


def test_in_a_browser_the_link_opens_its_page_and_no_request_tells_the_code(
    app: Flask, live_portal: str, page: Page, links: dict[str, str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    page.goto(f"{live_portal}/invitation#{code_of(links['/invitation'])}")
    expect(page.get_by_role("heading", name="Join Acme IT")).to_be_visible()
    page.goto(f"{live_portal}/reset#{code_of(links['/reset'])}")
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    page.get_by_label("New password").fill("another horse battery")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert [each for each in asked for link in links.values() if code_of(link) in each] == []


def test_in_a_browser_an_owner_has_a_link_mailed(
    app: Flask, live_portal: str, page: Page, acme: Place, server: MailServer, channel: int
) -> None:
    email, password = "anna@acme.example", "correct horse battery"
    with app.app_context():
        add_user(email, password, acme.slug, "owner")
    page.goto(f"{live_portal}/sign-in?next={acme.url('users/')}")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Skip for now").click()
    page.get_by_label("Email address").fill("new@acme.example")
    expect(page.get_by_label("Send it by mail")).to_be_checked()
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("A mail to new@acme.example is on its way")).to_be_visible()
    assert_accessible(page)
    send(app, acme, channel)
    page.goto(live_portal + acme.url("users/"))
    expect(page.get_by_text("Mail sent")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    html = server.mails[0].get_body(["html"])
    found = LINK.search(html.get_content() if html else "")
    assert found
    page.context.clear_cookies()
    page.goto(f"{live_portal}/invitation#{code_of(found[0])}")
    expect(page.get_by_role("heading", name="Join Acme IT")).to_be_visible()


def test_who_signs_in_first_goes_on_with_the_invitation(
    app: Flask, live_portal: str, page: Page, links: dict[str, str]
) -> None:
    email, password = "bob@other.example", "correct horse battery"
    make_place(app, "other")
    with app.app_context():
        add_user(email, password, "other", "viewer")
        link = invite(email, "acme", "viewer").link
    page.goto(f"{live_portal}/invitation#{code_of(link)}")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Join").click()
    expect(page).to_have_url(f"{live_portal}/t/acme/")
