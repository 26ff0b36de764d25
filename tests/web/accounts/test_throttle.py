"""Guessing passwords: how many guesses are looked at, and who is kept out by them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
import requests
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.services.accounts import password_changes, setup, sign_in
from portal.services.accounts.throttle import Throttle, network_of
from portal.services.accounts.users import add_user
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
PROXIED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


@pytest.fixture
def anna(app: Flask, acme: Place) -> Place:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    return acme


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared with a hash."""
    seen: list[str] = []

    def matches(password_hash: str | None, password: str) -> bool:
        seen.append(password)
        return password == PASSWORD and password_hash is not None

    for module in (sign_in, password_changes):
        monkeypatch.setattr(module, "password_matches", matches)
    return seen


def post(
    http: FlaskClient,
    password: str,
    email: str = EMAIL,
    address: str = "192.0.2.1",
    headers: dict[str, str] | None = None,
) -> TestResponse:
    return http.post(
        "/sign-in",
        data={"email": email, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
        headers=headers,
    )


def test_150_addresses_of_one_network_guess_as_one(
    app: Flask, anna: Place, looked_at: list[str]
) -> None:
    """Accounts of their own each, so that no account's limit is what stops them."""
    answers = [
        post(app.test_client(), "wrong", f"user{number}@acme.example", f"2001:db8:1:2::{number:x}")
        for number in range(150)
    ]

    assert len(looked_at) == 100
    assert [answer.status_code for answer in answers] == [401] * 100 + [429] * 50
    assert post(app.test_client(), PASSWORD, address="2001:db8:1:3::1").status_code == 302


def test_many_networks_have_ten_guesses_at_one_account(
    app: Flask, anna: Place, looked_at: list[str]
) -> None:
    for number in range(30):
        post(app.test_client(), "wrong", f" {EMAIL.upper()}", f"198.51.{number}.1")

    assert len(looked_at) == 10


def test_of_100_guesses_at_once_ten_are_looked_at(
    live_portal: str, anna: Place, looked_at: list[str]
) -> None:
    at_once = threading.Barrier(25)

    def guess(number: int) -> int:
        if number < 25:
            at_once.wait(10)
        data = {"email": EMAIL, "password": f"guess {number}"}
        return requests.post(f"{live_portal}/sign-in", data=data, timeout=30).status_code

    with ThreadPoolExecutor(25) as pool:
        statuses = list(pool.map(guess, range(100)))

    assert len(looked_at) == 10
    assert sorted(statuses) == [401] * 10 + [429] * 90


def test_the_form_comes_back_and_tells_how_long_to_wait(
    http: FlaskClient, anna: Place, looked_at: list[str]
) -> None:
    for _ in range(10):
        post(http, "wrong")
    refused = post(http, PASSWORD)

    assert refused.status_code == 429
    assert "Too many attempts. Wait 15 minutes and try again." in refused.text
    assert refused.headers["Retry-After"] == "900"
    assert f'value="{EMAIL}"' in refused.text


def test_a_device_that_signed_in_before_passes_the_locks(
    app: Flask, http: FlaskClient, anna: Place, looked_at: list[str]
) -> None:
    assert post(http, PASSWORD).status_code == 302
    for number in range(120):
        post(app.test_client(), "wrong", address="192.0.2.1", email=f"{number % 12}{EMAIL}")
        post(app.test_client(), "wrong", address="192.0.2.1")

    assert post(app.test_client(), PASSWORD).status_code == 429
    assert post(http, PASSWORD).status_code == 302
    looked_at.clear()
    assert {post(http, "wrong").status_code for _ in range(12)} == {401, 429}
    assert len(looked_at) == 10


def test_a_device_is_known_to_its_own_account_only(
    app: Flask, http: FlaskClient, anna: Place, looked_at: list[str]
) -> None:
    with app.app_context():
        add_user("bert@acme.example", PASSWORD, anna.slug, "viewer")
    post(http, PASSWORD, "bert@acme.example")
    berts = next(c for c in http._cookies.values() if c.key.startswith("portal-device-"))  # type: ignore[union-attr]
    name = device_cookie(http, app)
    http.set_cookie(name, berts.value)
    for number in range(10):
        post(app.test_client(), "wrong", address=f"198.51.{number}.1")

    assert post(http, PASSWORD).status_code == 429
    http.set_cookie(name, "made.up.word")
    assert post(http, PASSWORD).status_code == 429


def device_cookie(http: FlaskClient, app: Flask) -> str:
    """The name of Anna's: what another browser of hers is given."""
    other = app.test_client()
    header = next(
        text for text in post(other, PASSWORD).headers.getlist("Set-Cookie") if "device" in text
    )
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    return header.partition("=")[0]


def test_a_device_is_forgotten_with_the_password_and_after_a_year(
    app: Flask, http: FlaskClient, anna: Place, looked_at: list[str]
) -> None:
    old = app.test_client()
    post(old, PASSWORD)
    post(http, PASSWORD)
    changed = http.post(
        "/account", data={"old_password": PASSWORD, "new_password": "another horse battery"}
    )
    assert changed.location == "/account"
    for number in range(10):
        post(app.test_client(), "wrong", address=f"198.51.{number}.1")

    assert post(old, PASSWORD).status_code == 429
    assert post(http, PASSWORD).status_code == 302
    with time_machine.travel(utc_now() + timedelta(days=366), tick=False):
        for number in range(10):
            post(app.test_client(), "wrong", address=f"198.51.{number}.1")
        assert post(http, PASSWORD).status_code == 429


def test_whoever_took_a_session_over_has_ten_guesses(
    http: FlaskClient, anna: Place, looked_at: list[str]
) -> None:
    post(http, PASSWORD)
    looked_at.clear()
    data = {"old_password": "wrong", "new_password": "another horse"}
    answers = [http.post("/account", data=data) for _ in range(15)]

    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 5
    assert len(looked_at) == 10
    assert "Too many attempts" in answers[-1].text
    assert "Retry-After" in answers[-1].headers


def test_the_set_up_token_is_guessed_a_hundred_times(app: Flask, http: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        token = setup.issue_token()
    typed = {"tenant_name": "Acme IT", "slug": "acme", "email": EMAIL, "password": PASSWORD}
    answers = [
        http.post(
            "/setup",
            data={**typed, "token": "guess"},
            environ_overrides={"REMOTE_ADDR": f"2001:db8::{number:x}"},
        )
        for number in range(101)
    ]

    assert {answer.status_code for answer in answers[:100]} == {422}
    assert answers[100].status_code == 429
    assert 'value="Acme IT"' in answers[100].text
    done = http.post("/setup", data={**typed, "token": token})
    assert str(done.location).startswith("/account/second-factor/offer")


def test_what_is_no_guess_does_not_use_the_limit_up(http: FlaskClient, anna: Place) -> None:
    for _ in range(12):
        assert post(http, PASSWORD).status_code == 302
    data = {"old_password": PASSWORD, "new_password": "short"}
    assert {http.post("/account", data=data).status_code for _ in range(12)} == {422}


@pytest.mark.parametrize("redis_url", ["unix:///nowhere/redis.sock"])
def test_without_redis_each_process_counts_for_itself(
    app: Flask, anna: Place, looked_at: list[str], redis_url: str
) -> None:
    statuses = [
        post(app.test_client(), "wrong", address=f"198.51.{number}.1").status_code
        for number in range(15)
    ]

    assert statuses == [401] * 10 + [429] * 5
    assert post(app.test_client(), PASSWORD, "nobody@acme.example").status_code == 401


def test_a_redis_that_comes_back_is_asked_again(
    app: Flask, anna: Place, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    throttle: Throttle = app.extensions["throttle"]
    settings = app.extensions["settings"]
    app.extensions["throttle"] = Throttle(replace(settings, redis_url="unix:///nowhere/redis.sock"))
    post(app.test_client(), "wrong")
    with redis.Redis.from_url(settings.redis_url) as connection:
        assert connection.keys("*") == []
        app.extensions["throttle"] = throttle
        post(app.test_client(), "wrong")
        kept = [key.decode() for key in connection.keys("*")]

    assert len(kept) == 2
    assert not [key for key in kept if "anna" in key or "192.0.2.1" in key]


def test_a_proxy_that_was_not_declared_locks_nobody_out_and_is_told(
    app: Flask, anna: Place, looked_at: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(150):
        post(app.test_client(), "wrong", f"user{number}@acme.example", "127.0.0.1", PROXIED)
    http = app.test_client()

    assert post(http, PASSWORD, address="127.0.0.1", headers=PROXIED).status_code == 302
    assert caplog.text.count("PORTAL_TRUSTED_PROXIES is 0") == 1
    assert "203.0.113.9" not in caplog.text
    assert "PORTAL_TRUSTED_PROXIES" in http.get(anna.url(), headers=PROXIED).text
    assert "PORTAL_TRUSTED_PROXIES" not in http.get(anna.url()).text


def test_headers_that_a_stranger_makes_up_open_nothing(
    app: Flask, anna: Place, looked_at: list[str]
) -> None:
    for number in range(101):
        post(app.test_client(), "wrong", f"user{number}@acme.example", "8.8.8.8", PROXIED)

    assert len(looked_at) == 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:41234", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:bbbb::1]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_network_is_what_one_customer_has(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_user_who_is_not_there_costs_a_guess_too(
    http: FlaskClient, anna: Place, looked_at: list[str]
) -> None:
    statuses = [post(http, "wrong", "nobody@acme.example").status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]
