"""Passkeys and single browsers of people: what is done with them is recorded too."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db
from portal.models import AuditEntry, Passkey
from portal.scope import all_tenants
from portal.services.accounts import users
from tests.support.soft_authenticator import SoftPasskey
from tests.web.accounts.test_passkeys import ALONE, FINISH, begin, read_options
from tests.web.conftest import acme
from tests.web.world import Place

__all__ = ["acme"]

pytestmark = pytest.mark.mainly("sqlite")

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


@pytest.fixture
def anna(app: Flask, acme: Place) -> int:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        return users.add_user(EMAIL, PASSWORD, acme.slug, "owner").id


def enter(app: Flask, email: str = EMAIL) -> FlaskClient:
    browser = app.test_client()
    data = {"email": email, "password": PASSWORD}
    assert browser.post("/sign-in", data=data).status_code == 302
    return browser


def written(app: Flask, after: int = 0) -> list[tuple[str, str]]:
    """Action and route of each row after that one."""
    with app.app_context(), all_tenants():
        rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id).offset(after)).all()
        return [(row.action, row.source) for row in rows]


def facts(app: Flask, after: int) -> list[tuple[object, object]]:
    """What each row after that one tells of before and after."""
    with app.app_context(), all_tenants():
        rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id).offset(after)).all()
        return [(row.before, row.after) for row in rows]


def test_passkeys(app: Flask, anna: int) -> None:
    browser = enter(app)
    before = len(written(app))
    options = begin(browser)
    key = SoftPasskey(handle=options["user"]["id"])
    browser.post(FINISH, data={"passkey": key.create(options), "name": "Laptop"})
    with app.app_context():
        passkey = db.session.scalars(select(Passkey.id)).one()
    browser.post(f"/account/passkeys/{passkey}", data={"name": "Old laptop"})
    options = read_options(browser.get(f"/account/passkeys/{passkey}/remove"))
    removed = browser.post(
        f"/account/passkeys/{passkey}/remove", data={"passkey": key.get(options)}
    )

    assert removed.status_code == 302
    assert written(app, before) == [
        ("factor.passkey_added", "POST /account/passkeys/new/finish"),
        ("factor.passkey_renamed", "POST /account/passkeys/<int:passkey_id>"),
        ("factor.passkey_removed", "POST /account/passkeys/<int:passkey_id>/remove"),
    ]
    old, new = {"name": "Laptop"}, {"name": "Old laptop"}
    assert facts(app, before) == [(None, old), (old, new), (new, None)]


def test_a_proof_for_a_passkey_that_fails(app: Flask, anna: int) -> None:
    browser = enter(app)
    before = len(written(app))
    browser.post("/account/passkeys/new", data={"password": "wrong"})

    assert written(app, before) == [("password.refused", "POST /account/passkeys/new")]


def test_signing_in_by_a_passkey_alone(app: Flask, anna: int) -> None:
    browser = enter(app)
    options = begin(browser)
    key = SoftPasskey(handle=options["user"]["id"])
    browser.post(FINISH, data={"passkey": key.create(options), "name": "Laptop"})
    before, visitor = len(written(app)), app.test_client()
    visitor.post(ALONE, data={"passkey": key.get(read_options(visitor.get(ALONE)))})

    assert written(app, before) == [("sign_in.succeeded", f"POST {ALONE}")]


def test_ending_browsers(app: Flask, acme: Place, anna: int) -> None:
    with app.app_context():
        other = users.add_user("tom@acme.example", PASSWORD, acme.slug, "viewer").id
    here, _phone, _tablet = enter(app), enter(app), enter(app)
    enter(app, "tom@acme.example")
    before = len(written(app))
    here.post(way_out(here, "/account"))
    here.post("/account/browsers/end-others")
    here.post(way_out(here, acme.url(f"users/{other}")))

    of_user = "POST /t/<slug>/users/<int:user_id>/browsers/<handle>/end"
    assert written(app, before) == [
        ("user.browser_signed_out", "POST /account/browsers/<handle>/end"),
        ("user.signed_out", "POST /account/browsers/end-others"),
        ("user.browser_signed_out", of_user),
    ]
    assert facts(app, before) == [(None, None)] * 3


def way_out(browser: FlaskClient, page: str) -> str:
    found = re.search(r'action="(/[^"]*/browsers/[0-9a-f]{16}/end)"', browser.get(page).text)
    assert found
    return found[1]
