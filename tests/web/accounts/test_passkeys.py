"""Passkeys: added, and asked for after the password or instead of it; every other one refused."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.db import db
from portal.models import PasskeyChallenge
from portal.services.accounts.second_factors.changes import reset_factors
from portal.services.accounts.users import add_user, disable_user
from tests.support.soft_authenticator import SoftPasskey
from tests.web.world import Place, sign_in

pytestmark = pytest.mark.mainly("postgresql")

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
NEW, FINISH = "/account/passkeys/new", "/account/passkeys/new/finish"
SECOND, ALONE = "/sign-in/second-step/", "/sign-in/second-step/passkey"
PAGE = "/account/second-factor/"


@dataclass(frozen=True, slots=True)
class Anna:
    id: int
    key: SoftPasskey
    codes: list[str]


def read_options(page: TestResponse) -> dict[str, Any]:
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found, page.text
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def begin(http: FlaskClient, **proof: str) -> dict[str, Any]:
    return read_options(http.post(NEW, data=proof or {"password": PASSWORD}))


def make_anna(app: Flask, http: FlaskClient, email: str = EMAIL) -> Anna:
    """With a passkey, signed in."""
    with app.app_context():
        user = add_user(email, PASSWORD, "acme", "admin")
    sign_in(app, http, user.id)
    options = begin(http)
    key = SoftPasskey(handle=options["user"]["id"])
    done = http.post(FINISH, data={"passkey": key.create(options), "name": "Laptop"})
    assert done.status_code == 200
    return Anna(user.id, key, re.findall(r"<li>([0-9a-z-]{29})</li>", done.text))


@pytest.fixture
def anna(app: Flask, http: FlaskClient, acme: Place) -> Anna:
    app.config["WTF_CSRF_ENABLED"] = False
    return make_anna(app, http)


def first_step(http: FlaskClient) -> dict[str, Any]:
    http.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    return read_options(http.get(SECOND))


def test_nothing_is_sent_before_the_script_that_asks_for_the_passkey_is_there(
    http: FlaskClient, anna: Anna
) -> None:
    """It enables the buttons: one pressed before would send a form without a passkey."""
    first_step(http)
    pages = [http.get(SECOND), http.get(ALONE)]
    for page in pages:
        form = re.search(r"<form[^>]* data-passkey=.*?</form>", page.text, re.DOTALL)
        assert form, page.text
        assert re.search(r"<button type=\"submit\"[^>]* disabled>", form[0])


def test_a_passkey_is_the_second_factor_and_does_alone(
    app: Flask, http: FlaskClient, anna: Anna, acme: Place
) -> None:
    assert len(anna.codes) == 10
    page = http.get(PAGE).text
    assert "Laptop" in page
    other = app.test_client()
    options = first_step(other)
    assert options["userVerification"] == "required"
    assert len(options["allowCredentials"]) == 1
    answer = anna.key.get(options)
    assert other.post(SECOND, data={"passkey": answer}).location == "/"
    assert other.get(acme.url()).status_code == 200

    alone = app.test_client()
    asked = read_options(alone.get(ALONE))
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")
    done = alone.post(f"{ALONE}?next=/account", data={"passkey": anna.key.get(asked)})
    assert done.location == "/account"
    assert alone.get("/account").status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize(
    "changes",
    [
        {"verifies": False},
        {"origin": "http://evil.example"},
        {"site": "evil.example"},
        {"handle": "AAAA"},
        {"id": b"another one's id"},
        {"key": SoftPasskey().key},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_not_the_users_verified_key_signs_nobody_in(
    app: Flask, anna: Anna, changes: dict[str, Any]
) -> None:
    wrong, http = anna.key.but(**changes), app.test_client()
    second = http.post(SECOND, data={"passkey": wrong.get(first_step(http))})
    assert (second.status_code, "could not be used" in second.text) == (422, True)
    alone = http.post(ALONE, data={"passkey": wrong.get(read_options(http.get(ALONE)))})
    assert (alone.status_code, "could not be used" in alone.text) == (422, True)
    assert http.get("/account").location.startswith("/sign-in")


@pytest.mark.one_database
def test_alone_a_key_must_say_whose_it_is(app: Flask, anna: Anna) -> None:
    http, silent = app.test_client(), anna.key.but(handle=None)
    assert http.post(SECOND, data={"passkey": silent.get(first_step(http))}).location == "/"
    http = app.test_client()
    answer = silent.get(read_options(http.get(ALONE)))
    assert http.post(ALONE, data={"passkey": answer}).status_code == 422


@pytest.mark.one_database
def test_a_challenge_is_used_once_for_its_purpose_and_within_minutes(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    other = app.test_client()
    answer = anna.key.get(read_options(other.get(ALONE)))
    with other.session_transaction() as cookie:
        token = cookie["passkey"]
    assert other.post(ALONE, data={"passkey": answer}).location == "/"
    for use in (ALONE, SECOND):
        thief = app.test_client()
        if use == SECOND:
            first_step(thief)
        with thief.session_transaction() as cookie:
            cookie["passkey"] = token
        assert thief.post(use, data={"passkey": answer}).status_code == 422
    # One that was made for another purpose, and one that is too old.
    other = app.test_client()
    asked = read_options(other.get(ALONE))
    with other.session_transaction() as cookie:
        token = cookie["passkey"]
    first_step(other)
    with other.session_transaction() as cookie:
        cookie["passkey"] = token
    assert other.post(SECOND, data={"passkey": anna.key.get(asked)}).status_code == 422
    late = anna.key.get(read_options(other.get(ALONE)))
    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=False):
        assert other.post(ALONE, data={"passkey": late}).status_code == 422
    with app.app_context():  # a stranger's questions are cleared away
        other.get(ALONE)
        now = utc_now()
        assert all(row.expires_at > now for row in db.session.scalars(select(PasskeyChallenge)))


@pytest.mark.one_database
def test_a_counter_that_goes_back_is_refused(app: Flask, anna: Anna) -> None:
    def use(count: int) -> int:
        http = app.test_client()
        answer = anna.key.get(read_options(http.get(ALONE)), count)
        return http.post(ALONE, data={"passkey": answer}).status_code

    assert [use(5), use(5), use(6)] == [302, 422, 302]


@pytest.mark.one_database
@pytest.mark.parametrize("sent", ["", "{", "{}", "null", "[]", '{"id": "\\u0000"}', "x" * 5000])
def test_whatever_is_sent_as_a_passkey_has_an_answer(app: Flask, anna: Anna, sent: str) -> None:
    http = app.test_client()
    http.get(ALONE)
    assert http.post(ALONE, data={"passkey": sent}).status_code == 422
    first_step(http)
    assert http.post(SECOND, data={"passkey": sent}).status_code == 422


@pytest.mark.parametrize("key_id", ["\0", "\ud800"])
def test_an_id_that_no_database_keeps_is_nobodys(app: Flask, anna: Anna, key_id: str) -> None:
    http = app.test_client()
    sent = json.loads(anna.key.get(read_options(http.get(ALONE))))
    sent = json.dumps({**sent, "id": key_id})

    assert http.post(ALONE, data={"passkey": sent}).status_code == 422
    first_step(http)
    http.get(SECOND)
    assert http.post(SECOND, data={"passkey": sent}).status_code == 422


@pytest.mark.one_database
@pytest.mark.parametrize("changes", [{"verifies": False}, {"origin": "http://evil.example"}])
def test_a_key_that_does_not_verify_its_user_is_not_added(
    app: Flask, http: FlaskClient, anna: Anna, changes: dict[str, Any]
) -> None:
    sign_in(app, http, anna.id)
    for key in (SoftPasskey(**changes), anna.key):  # one is there already
        asked = read_options(http.get(NEW))
        options = begin(http, passkey=anna.key.get(asked))
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert len(options["excludeCredentials"]) == 1
        assert http.post(FINISH, data={"passkey": key.create(options)}).location == NEW
    assert http.get(PAGE).text.count("Remove</a>") == 1


@pytest.mark.one_database
def test_a_passkey_is_named_and_removed_by_itself_and_is_nobody_elses(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    found = re.search(r"/account/passkeys/(\d+)", http.get(PAGE).text)
    assert found
    own = found[0]
    stranger = app.test_client()
    bert = make_anna(app, stranger, "bert@acme.example")
    for method in ("GET", "POST"):
        for path in (own, f"{own}/remove"):
            assert stranger.open(path, method=method).status_code == 404
    assert http.post(own, data={"name": " "}).status_code == 422
    assert http.post(own, data={"name": "Key <b>"}).location == PAGE
    assert "Key &lt;b&gt;" in http.get(PAGE).text

    asked = read_options(http.get(f"{own}/remove"))
    assert http.post(f"{own}/remove", data={"password": PASSWORD}).status_code == 422
    assert http.post(f"{own}/remove", data={"passkey": bert.key.get(asked)}).status_code == 422
    asked = read_options(http.get(f"{own}/remove"))
    assert http.post(f"{own}/remove", data={"passkey": anna.key.get(asked)}).location == PAGE
    assert "Key &lt;b&gt;" not in http.get(PAGE).text
    assert http.get(own).status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize("end", ["place", "reset"])
def test_a_key_of_somebody_shut_out_signs_nobody_in(
    app: Flask, anna: Anna, acme: Place, end: str
) -> None:
    with app.app_context():
        if end == "reset":
            reset_factors(EMAIL)
        else:
            add_user("boss@acme.example", PASSWORD, acme.slug, "owner")
            disable_user(EMAIL, acme.slug)
    http = app.test_client()
    answer = anna.key.get(read_options(http.get(ALONE)))

    assert http.post(ALONE, data={"passkey": answer}).status_code == 422


@pytest.mark.one_database
def test_at_an_ip_address_the_page_offers_an_app_instead(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    here = "http://127.0.0.1"
    app.test_client().get("/")
    at_address = app.test_client()
    at_address.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}, base_url=here)
    page = at_address.get(SECOND, base_url=here).text
    assert "Passkeys need a host name" in page
    assert "Use a recovery code" in page
    assert "data-options" not in page
    assert "with a passkey" not in at_address.get("/sign-in", base_url=here).text
    assert "Passkeys need a host name" in at_address.get(ALONE, base_url=here).text
    assert "Sign in with a passkey" in app.test_client().get("/sign-in").text


@pytest.mark.one_database
def test_questions_of_strangers_are_counted(app: Flask, http: FlaskClient, acme: Place) -> None:
    statuses = [http.get(ALONE).status_code for _ in range(101)]

    assert statuses == [200] * 100 + [429]
