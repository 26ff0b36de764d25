"""Signing in and out, and how long a sign-in lasts."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import User, UserSession
from portal.services.accounts.sign_in import ABSOLUTE_LIMIT, IDLE_LIMIT
from portal.services.accounts.users import add_user
from tests.web.conftest import HTMX
from tests.web.world import TOKEN, Place, make_user, sign_in

pytestmark = pytest.mark.mainly("postgresql")

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
ANOTHER = "another horse battery"


@pytest.fixture
def anna(app: Flask, acme: Place) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")


def post(
    http: FlaskClient, email: str = EMAIL, password: str = PASSWORD, to: str = ""
) -> TestResponse:
    return http.post("/sign-in", data={"email": email, "password": password, "next": to})


def token_of(http: FlaskClient) -> object:
    with http.session_transaction() as cookie:
        return cookie.get(TOKEN)


def test_right_words_lead_to_the_tenant(http: FlaskClient, anna: None, acme: Place) -> None:
    answer = post(http, email=f"  {EMAIL.upper()} ")

    assert answer.location == "/"
    assert http.get("/").location == acme.url()
    assert http.get(acme.url()).status_code == 200


@pytest.mark.one_database
def test_failure_does_not_tell_whether_the_user_exists(http: FlaskClient, anna: None) -> None:
    wrong = post(http, password="wrong horse battery")
    unknown = post(http, email="nobody@acme.example")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    message = "The email address or the password is incorrect."
    assert message in wrong.text
    assert message in unknown.text
    assert f'value="{EMAIL}"' in wrong.text
    assert "wrong horse" not in wrong.text


@pytest.mark.one_database
def test_ten_failures_close_the_door_for_that_account_only(
    http: FlaskClient, anna: None, app: Flask, acme: Place
) -> None:
    with app.app_context():
        add_user("bert@acme.example", PASSWORD, acme.slug, "viewer")
    assert {post(http, password="wrong").status_code for _ in range(10)} == {401}

    refused = post(http)

    assert refused.status_code == 429
    assert "Too many attempts" in refused.text
    assert token_of(http) is None
    assert post(http, email="bert@acme.example").status_code == 302


@pytest.mark.one_database
def test_right_words_do_not_use_the_limit_up(http: FlaskClient, anna: None) -> None:
    assert {post(http).status_code for _ in range(12)} == {302}


@pytest.mark.one_database
def test_signing_in_again_makes_a_new_session_and_ends_the_old(
    app: Flask, http: FlaskClient, anna: None, acme: Place
) -> None:
    post(http)
    old = token_of(http)
    post(http)
    new = token_of(http)
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie[TOKEN] = old

    assert new != old
    assert thief.get(acme.url()).status_code == 302
    assert http.get(acme.url()).status_code == 200


@pytest.mark.one_database
def test_a_signed_in_user_is_not_asked_again(http: FlaskClient, anna: None) -> None:
    post(http)

    assert http.get("/sign-in?next=/account").location == "/account"


def test_signing_out_ends_the_session_on_the_server(
    app: Flask, http: FlaskClient, anna: None, acme: Place
) -> None:
    post(http)
    token = token_of(http)
    assert http.post("/sign-out").location == "/sign-in"
    with http.session_transaction() as cookie:
        cookie[TOKEN] = token

    assert http.get(acme.url()).location.startswith("/sign-in")


def test_what_the_database_keeps_of_a_session_signs_nobody_in(
    app: Flask, http: FlaskClient, anna: None, acme: Place
) -> None:
    post(http)
    with app.app_context():
        kept = db.session.scalars(select(UserSession)).one()
        assert str(token_of(http)) not in str(vars(kept))
        found = kept.token_digest
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie[TOKEN] = found

    assert http.get(acme.url()).status_code == 200
    assert thief.get(acme.url()).location.startswith("/sign-in")


def test_a_sign_in_ends_when_idle(app: Flask, http: FlaskClient, acme: Place) -> None:
    start = utc_now()
    with time_machine.travel(start, tick=False) as clock:
        sign_in(app, http, make_user(app, "idle@acme.example", acme))
        for _ in range(3):  # use keeps it alive
            clock.shift(IDLE_LIMIT - timedelta(minutes=1))
            assert http.get(acme.url()).status_code == 200
        clock.shift(IDLE_LIMIT + timedelta(minutes=1))
        assert http.get(acme.url()).status_code == 302
    assert token_of(http) is None


def test_a_sign_in_ends_however_busy(app: Flask, http: FlaskClient, acme: Place) -> None:
    start = utc_now()
    with time_machine.travel(start, tick=False) as clock:
        sign_in(app, http, make_user(app, "busy@acme.example", acme))
        statuses = []
        while utc_now() < start + ABSOLUTE_LIMIT:
            clock.shift(timedelta(hours=1))
            statuses.append(http.get(acme.url()).status_code)
        clock.shift(timedelta(seconds=1))
        assert http.get(acme.url()).status_code == 302
    assert set(statuses) == {200}


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/t/acme/assets/?q=a", "/t/acme/assets/?q=a"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_it_goes_on_inside_only(
    http: FlaskClient, anna: None, target: str, leads_to: str
) -> None:
    assert post(http, to=target).location == leads_to


@pytest.mark.one_database
def test_the_page_that_was_asked_for_comes_after_the_sign_in(
    http: FlaskClient, acme: Place
) -> None:
    page = http.get(acme.url("assets/?q=a b&status=online"))
    region = http.get(
        acme.url("assets/?q=x"),
        headers=HTMX | {"HX-Current-URL": "http://localhost/t/acme/assets/?q=w"},
    )

    assert page.location == "/sign-in?next=/t/acme/assets/?q%3Da+b%26status%3Donline"
    assert region.status_code == 401
    assert region.headers["HX-Redirect"] == "/sign-in?next=/t/acme/assets/?q%3Dw"


@pytest.mark.one_database
def test_changing_the_password_signs_other_browsers_out(
    app: Flask, http: FlaskClient, anna: None, acme: Place
) -> None:
    other = app.test_client()
    post(other)
    post(http)
    wrong = http.post("/account", data={"old_password": "x", "new_password": ANOTHER})
    short = http.post("/account", data={"old_password": PASSWORD, "new_password": "short"})
    right = http.post("/account", data={"old_password": PASSWORD, "new_password": ANOTHER})

    assert (wrong.status_code, short.status_code) == (422, 422)
    assert "This is not your current password." in wrong.text
    assert "at least 12 characters" in short.text
    assert right.location == "/account"
    assert http.get(acme.url()).status_code == 200
    assert other.get(acme.url()).status_code == 302
    assert post(other).status_code == 401


@pytest.mark.one_database
def test_a_password_of_old_that_is_too_simple_still_signs_in(
    app: Flask, http: FlaskClient, anna: None
) -> None:
    with app.app_context(), transaction() as session:
        user = session.scalars(select(User).filter_by(email=EMAIL)).one()
        user.password_hash = PasswordHasher(time_cost=1).hash("password")

    assert post(http, password="password").status_code == 302
    assert post(http, password="password").status_code == 302


@pytest.mark.one_database
@pytest.mark.parametrize("new", ["password1234", " " * 12, EMAIL])
def test_a_new_password_must_not_be_guessed_at_once(
    http: FlaskClient, anna: None, new: str
) -> None:
    post(http)
    answer = http.post("/account", data={"old_password": PASSWORD, "new_password": new})

    assert answer.status_code == 422
    assert 'id="new_password-error"' in answer.text
    assert post(http).status_code == 302


@pytest.mark.one_database
def test_asking_for_the_session_tells_when_it_ends_and_is_no_use_of_it(
    http: FlaskClient, anna: None
) -> None:
    assert http.get("/session").status_code == 401
    post(http)
    for passed in (timedelta(0), IDLE_LIMIT / 2):
        with time_machine.travel(utc_now() + passed, tick=False):
            left = http.get("/session").get_json()["seconds"]
            assert left == pytest.approx((IDLE_LIMIT - passed).total_seconds(), abs=20)

    with time_machine.travel(utc_now() + IDLE_LIMIT + timedelta(minutes=1)):
        assert http.get("/session").status_code == 401


@pytest.mark.one_database
def test_signing_out_clears_what_the_browser_kept(http: FlaskClient, anna: None) -> None:
    post(http)

    assert http.post("/sign-out").headers["Clear-Site-Data"] == '"cache"'
