"""Where one is signed in: seen and ended by oneself, and by an owner."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import transaction
from portal.models import UserSession
from portal.services.accounts import users
from portal.services.accounts.sessions import list_browsers
from portal.services.accounts.tenants import get_tenant
from portal.web.devices import describe_device
from tests.web.world import Place, make_place

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"
)


@pytest.fixture
def anna(app: Flask, acme: Place) -> int:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        return users.add_user(EMAIL, PASSWORD, acme.slug, "technician").id


def enter(app: Flask, user_agent: str, address: str = "127.0.0.1") -> FlaskClient:
    browser = app.test_client()
    browser.environ_base |= {"HTTP_USER_AGENT": user_agent, "REMOTE_ADDR": address}
    data = {"email": EMAIL, "password": PASSWORD}
    assert browser.post("/sign-in", data=data).status_code == 302
    return browser


def ways_out(page: str) -> list[str]:
    return re.findall(r'action="(/[^"]*/browsers/[0-9a-f]{16}/end)"', page)


def test_one_sees_ones_browsers_and_ends_one_or_all_others(
    app: Flask, acme: Place, anna: int
) -> None:
    here, phone = enter(app, FIREFOX, "192.0.2.7"), enter(app, PHONE, "198.51.100.9")
    page = here.get("/account").text
    for words in ("Firefox on Windows", "192.0.2.7", "Safari on iPhone", "198.51.100.9"):
        assert words in page
    [way_out] = ways_out(page)
    here.post(way_out)
    assert phone.get(acme.url()).location.startswith("/sign-in")
    assert here.post(way_out).status_code == 404, "it has ended already"

    others = [enter(app, PHONE), enter(app, EDGE)]
    here.post("/account/browsers/end-others")
    assert [each.get(acme.url()).status_code for each in (here, *others)] == [200, 302, 302]


@pytest.mark.one_database
def test_nobody_ends_a_browser_of_somebody_else(
    app: Flask, viewer: FlaskClient, acme: Place, anna: int
) -> None:
    browser = enter(app, FIREFOX)
    with app.app_context():
        [own] = list_browsers(anna)

    assert viewer.post(f"/account/browsers/{own.handle}/end").status_code == 404
    assert browser.get(acme.url()).status_code == 200


def test_an_owner_sees_and_ends_those_of_the_tenants_people(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    phone, other = enter(app, PHONE), enter(app, EDGE)
    page = owner.get(acme.url(f"users/{anna}")).text
    assert ("Safari on iPhone" in page, "Edge on macOS" in page) == (True, True)
    ways = ways_out(page)
    assert len(ways) == 2
    owner.post(ways[0])

    statuses = sorted(each.get(acme.url()).status_code for each in (phone, other))
    assert statuses == [200, 302]
    assert len(ways_out(owner.get(acme.url(f"users/{anna}")).text)) == 1


@pytest.mark.one_database
def test_an_owner_sees_none_that_opens_another_tenant_alone(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    """Where somebody signed in by the identity provider of another tenant is that tenant's."""
    make_place(app, "other")
    with app.app_context():
        users.add_user(EMAIL, "", "other", "viewer")
    elsewhere, here, everywhere = enter(app, PHONE), enter(app, EDGE), enter(app, FIREFOX)
    with app.app_context(), transaction() as session:
        for device, slug in (("Safari on iPhone", "other"), ("Edge on macOS", acme.slug)):
            row = session.scalars(select(UserSession).filter_by(device=device)).one()
            row.provider_of = get_tenant(slug).id
    with app.app_context():
        [handle] = [each.handle for each in list_browsers(anna) if "iPhone" in each.device]

    page = owner.get(acme.url(f"users/{anna}")).text
    shown = [words in page for words in ("Safari on iPhone", "Edge on macOS", "Firefox on Windows")]
    assert shown == [False, True, True]
    assert owner.post(acme.url(f"users/{anna}/browsers/{handle}/end")).status_code == 404

    assert elsewhere.get("/t/other/").status_code == 200
    assert [each.get(acme.url()).status_code for each in (here, everywhere)] == [200, 200]


@pytest.mark.one_database
def test_browsers_that_are_signed_out_by_time_are_not_listed(
    app: Flask, acme: Place, anna: int
) -> None:
    with app.app_context():
        enter(app, FIREFOX)
        with time_machine.travel(utc_now() + timedelta(hours=2, seconds=1), tick=False):
            assert list_browsers(anna) == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (PHONE, "Safari on iPhone"),
        (EDGE, "Edge on macOS"),
        ("curl/8.5.0", ""),
        ("<script>alert(1)</script> Linux", "Linux"),
        ("", ""),
    ],
)
def test_a_device_is_told_in_words_of_ours(user_agent: str, words: str) -> None:
    assert describe_device(user_agent) == words
