"""Signing in with a second factor: the password first, then a code of an app or a recovery code."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.db import db
from portal.models import Authenticator, PendingSignIn, RecoveryCode, UserSession
from portal.services.accounts.password_changes import issue_reset, set_password
from portal.services.accounts.sign_in import SECOND_STEP_WITHIN
from portal.services.accounts.users import add_user, disable_user
from portal.web.auth.session import STEP
from tests.support.second_factors import Phone, set_up_app, steps_later
from tests.web.conftest import code_of
from tests.web.world import TOKEN, Place

pytestmark = pytest.mark.mainly("postgresql")

EMAIL, PASSWORD, NEW = "anna@acme.example", "correct horse battery", "another horse battery"
SECOND = "/sign-in/second-step/"


@dataclass(frozen=True, slots=True)
class Anna:
    """Who has an authenticator app."""

    id: int
    phone: Phone
    codes: list[str]


@pytest.fixture
def anna(app: Flask, acme: Place) -> Iterator[Anna]:
    """Time stands still, so that no code grows old while a test looks at it."""
    app.config["WTF_CSRF_ENABLED"] = False
    with time_machine.travel(utc_now(), tick=False):
        with app.app_context():
            add_user("boss@acme.example", PASSWORD, acme.slug, "admin")
            user = add_user(EMAIL, PASSWORD, acme.slug, "admin")
            made = Anna(user.id, *set_up_app(user.id, PASSWORD))
        yield made


def first_step(http: FlaskClient, password: str = PASSWORD, email: str = EMAIL) -> TestResponse:
    return http.post("/sign-in", data={"email": email, "password": password})


def second_step(http: FlaskClient, code: str = "", recovery_code: str = "") -> TestResponse:
    return http.post(SECOND, data={"code": code, "recovery_code": recovery_code})


def kept(http: FlaskClient, name: str) -> object:
    with http.session_transaction() as cookie:
        return cookie.get(name)


def test_the_code_follows_the_password(http: FlaskClient, anna: Anna, acme: Place) -> None:
    asked = http.post(
        f"/sign-in?next={acme.url('assets/')}",
        data={"email": EMAIL, "password": PASSWORD, "next": acme.url("assets/")},
    )
    assert asked.location == f"{SECOND}?next={acme.url('assets/')}"
    assert http.get(acme.url()).location.startswith("/sign-in")
    assert http.get("/account").location.startswith("/sign-in")
    page = http.get(asked.location)
    assert page.status_code == 200
    assert 'autocomplete="one-time-code"' in page.text

    wrong = http.post(asked.location, data={"code": "000000"})
    assert wrong.status_code == 422
    assert "This code is not valid." in wrong.text
    done = http.post(
        asked.location, data={"code": f" {anna.phone.code()[:3]} {anna.phone.code()[3:]}"}
    )
    assert done.location == acme.url("assets/")
    assert http.get(acme.url()).status_code == 200


@pytest.mark.one_database
def test_before_the_password_nothing_tells_of_a_second_factor(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    with_factor = first_step(http, "wrong horse battery")
    without = first_step(http, "wrong horse battery", "boss@acme.example")

    assert (with_factor.status_code, without.status_code) == (401, 401)
    assert with_factor.text.replace(EMAIL, "") == without.text.replace("boss@acme.example", "")
    assert http.get(SECOND).location.startswith("/sign-in")
    assert second_step(http, anna.phone.code()).location.startswith("/sign-in")
    assert first_step(app.test_client(), email="boss@acme.example").location == "/"


def test_the_half_signed_in_state_is_on_the_server_and_no_session(
    app: Flask, http: FlaskClient, anna: Anna, acme: Place
) -> None:
    first_step(http)
    step = kept(http, STEP)
    assert kept(http, TOKEN) is None
    with app.app_context():
        row = db.session.scalars(select(PendingSignIn)).one()
        assert str(step) not in str(vars(row))
        assert db.session.scalars(select(UserSession)).all() == []
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie[TOKEN] = step
    assert thief.get(acme.url()).location.startswith("/sign-in")

    second_step(http, anna.phone.code())
    assert (kept(http, STEP), kept(http, TOKEN) == step) == (None, False)
    with thief.session_transaction() as cookie:  # what was done is done
        cookie.clear()
        cookie[STEP] = step
    assert second_step(thief, anna.phone.code()).location.startswith("/sign-in")


@pytest.mark.one_database
def test_a_session_of_before_ends_with_the_second_step(
    app: Flask, http: FlaskClient, anna: Anna, acme: Place
) -> None:
    first_step(http, email="boss@acme.example")
    fixed = kept(http, TOKEN)
    first_step(http)
    second_step(http, anna.phone.code())
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie[TOKEN] = fixed

    assert thief.get(acme.url()).location.startswith("/sign-in")
    assert http.get(acme.url()).status_code == 200


@pytest.mark.one_database
def test_the_second_step_has_minutes(http: FlaskClient, anna: Anna) -> None:
    first_step(http)
    with time_machine.travel(utc_now() + SECOND_STEP_WITHIN + timedelta(seconds=1), tick=False):
        late = second_step(http, anna.phone.code())
        assert late.location.startswith("/sign-in")
        assert "took too long" in http.get("/sign-in").text
        first_step(http)
        assert second_step(http, anna.phone.code()).location == "/"


@pytest.mark.one_database
@pytest.mark.parametrize("end", ["password", "place"])
def test_the_second_step_ends_with_the_password_and_the_place(
    app: Flask, http: FlaskClient, anna: Anna, acme: Place, end: str
) -> None:
    first_step(http)
    with app.app_context():
        if end == "password":
            set_password(EMAIL, NEW)
        else:
            disable_user(EMAIL, acme.slug)

    assert second_step(http, anna.phone.code()).location.startswith("/sign-in")


def test_a_code_works_once_and_ends_those_before_it(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    first_step(http)
    assert second_step(http, anna.phone.code()).location == "/"
    other = app.test_client()
    first_step(other)
    assert second_step(other, anna.phone.code()).status_code == 422
    for steps, status in ((-1, 422), (1, 302)):  # the clock is set back
        with steps_later(steps):
            first_step(other)
            assert second_step(other, anna.phone.code()).status_code == status


def test_of_many_who_send_a_code_at_once_one_is_signed_in(app: Flask, anna: Anna) -> None:
    browsers = [app.test_client() for _ in range(4)]
    for browser in browsers:
        first_step(browser)
    code = anna.phone.code()
    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(lambda each: second_step(each, code).status_code, browsers))

    assert sorted(answers) == [302, 422, 422, 422]


@pytest.mark.one_database
def test_a_code_is_good_for_the_30_seconds_in_which_it_is_shown(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    shown_from = int(utc_now().timestamp()) // 30 * 30 + 300
    with time_machine.travel(shown_from, tick=False):
        code = anna.phone.code()
    statuses = []
    for second in (-1, 30, 29):
        with time_machine.travel(shown_from + second, tick=False):
            first_step(http)
            statuses.append(second_step(http, code).status_code)
    assert statuses == [422, 422, 302]


@pytest.mark.one_database
def test_codes_are_guessed_ten_times_as_passwords_are(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    first_step(http)
    statuses = [second_step(http, "000000").status_code for _ in range(11)]
    refused = second_step(http, anna.phone.code())

    assert statuses == [422] * 10 + [429]
    assert refused.status_code == 429
    assert "Retry-After" in refused.headers
    assert first_step(app.test_client()).status_code == 429


@pytest.mark.one_database
def test_a_device_is_known_only_after_the_second_step(http: FlaskClient, anna: Anna) -> None:
    assert "portal-device" not in str(first_step(http).headers)
    assert "portal-device" in str(second_step(http, anna.phone.code()).headers)


def test_a_recovery_code_works_once_and_two_left_are_told_of(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    def use(code: str) -> TestResponse:
        first_step(http)
        return second_step(http, recovery_code=code)

    assert use(anna.codes[0].upper().replace("-", " ")).location == "/"
    assert use(anna.codes[0]).status_code == 422
    for code in anna.codes[1:7]:
        use(code)
        assert "left. Create new ones" not in http.get("/account").text
        assert "recovery codes left" not in http.get("/account/second-factor/").text
    assert use(anna.codes[7]).location == "/"
    page = http.get("/account").text
    assert "You have 2 recovery codes left." in page
    assert "2 recovery codes left" in http.get("/account/second-factor/").text
    with app.app_context():
        rows = db.session.scalars(select(RecoveryCode)).all()
        assert len(rows) == 2
        assert not [code for code in anna.codes if code in str([vars(row) for row in rows])]


@pytest.mark.one_database
def test_a_new_password_takes_no_second_factor_away(
    app: Flask, http: FlaskClient, anna: Anna
) -> None:
    with app.app_context():
        code = code_of(issue_reset(EMAIL).link)
    assert "second factor: that stays" in http.post("/reset", data={"code": code}).text
    http.post("/reset/password", data={"code": code, "password": NEW})

    assert first_step(http, NEW).location.startswith(SECOND)
    assert second_step(http, anna.phone.code()).location == "/"


@pytest.mark.one_database
def test_the_secret_is_sealed(app: Flask, anna: Anna) -> None:
    with app.app_context():
        row = db.session.scalars(select(Authenticator)).one()
        assert row.envelope.startswith("v1.")
        assert anna.phone.secret not in row.envelope
        assert db.session.scalar(select(func.count()).select_from(RecoveryCode)) == 10
