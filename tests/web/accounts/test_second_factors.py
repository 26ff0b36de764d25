"""Second factors set up and removed on the pages of the account, and by the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.services.accounts.second_factors.changes import SET_UP_WITHIN, reset_factors
from portal.services.accounts.users import add_user
from tests.support.second_factors import Phone, set_up_app
from tests.web.world import Place, sign_in

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
PAGE = "/account/second-factor/"
APP, CONFIRM, REMOVE = f"{PAGE}app", f"{PAGE}app/confirm", f"{PAGE}app/remove"
CODES = f"{PAGE}recovery-codes"


@pytest.fixture
def anna(app: Flask, http: FlaskClient, acme: Place) -> Iterator[int]:
    """Signed in, and without a second factor; time stands still."""
    app.config["WTF_CSRF_ENABLED"] = False
    with time_machine.travel(utc_now(), tick=False):
        with app.app_context():
            user = add_user(EMAIL, PASSWORD, acme.slug, "admin")
        sign_in(app, http, user.id)
        yield user.id


def begin(http: FlaskClient) -> Phone:
    assert http.post(APP, data={"password": PASSWORD}).location == APP
    found = re.search(r"data-secret>([A-Z2-7]+)<", http.get(APP).text)
    assert found
    return Phone(found[1])


def read_codes(page: str) -> list[str]:
    return re.findall(r"<li>([0-9a-z]{5}(?:-[0-9a-z]{5}){4})</li>", page)


def test_an_app_is_set_up_by_a_code_and_codes_are_shown_once(
    app: Flask, http: FlaskClient, anna: int, acme: Place
) -> None:
    elsewhere = app.test_client()
    sign_in(app, elsewhere, anna)
    assert "Whoever has your password can sign in." in http.get("/account").text
    assert http.post(APP, data={"password": "wrong"}).status_code == 422
    phone = begin(http)
    page = http.get(APP).text
    assert "<svg" in page
    assert "style=" not in page[page.index("<svg") :]
    wrong = http.post(CONFIRM, data={"code": "000000"})
    assert (wrong.status_code, 'id="code-error"' in wrong.text) == (422, True)
    assert "Off" in http.get("/account").text  # it does not count yet

    done = http.post(f"{CONFIRM}?next={acme.url()}", data={"code": phone.code()})
    codes = read_codes(done.text)
    assert (len(codes), len(set(codes))) == (10, 10)
    assert f'href="{acme.url()}"' in done.text
    assert "Your password alone signs nobody in." in http.get("/account").text
    assert elsewhere.get("/account").location.startswith("/sign-in")
    overview = http.get(PAGE).text
    assert "10 codes of 10 left" in overview
    for text in (overview, http.get(APP).text, http.get(CODES).text):
        assert phone.secret not in text
        assert not [code for code in codes if code in text]


@pytest.mark.one_database
def test_an_app_that_is_not_confirmed_in_time_is_begun_anew(http: FlaskClient, anna: int) -> None:
    phone = begin(http)
    with time_machine.travel(utc_now() + SET_UP_WITHIN, tick=False):
        assert http.post(CONFIRM, data={"code": phone.code()}).location == APP
        assert "took too long" in http.get(APP).text
        assert begin(http).secret != phone.secret


@pytest.mark.one_database
def test_an_app_is_removed_by_its_code_and_not_by_the_password(
    app: Flask, http: FlaskClient, anna: int
) -> None:
    with app.app_context():
        phone, codes = set_up_app(anna, PASSWORD)
    sign_in(app, http, anna)
    elsewhere = app.test_client()
    sign_in(app, elsewhere, anna)
    for data in ({"password": PASSWORD}, {"code": "000000"}, {"recovery_code": "none"}, {}):
        assert http.post(REMOVE, data=data).status_code == 422
    assert http.post(APP, data={"code": phone.code()}).location == PAGE  # there is one already

    assert http.post(REMOVE, data={"code": phone.code()}).location == PAGE
    assert elsewhere.get("/account").location.startswith("/sign-in")
    assert "Whoever has your password can sign in." in http.get("/account").text
    with app.app_context():  # its recovery codes went with it
        _phone, newer = set_up_app(anna, PASSWORD)
    sign_in(app, http, anna)
    assert http.post(REMOVE, data={"recovery_code": codes[0]}).status_code == 422
    assert http.post(REMOVE, data={"recovery_code": newer[0]}).location == PAGE


@pytest.mark.one_database
def test_new_recovery_codes_end_the_old_ones(app: Flask, http: FlaskClient, anna: int) -> None:
    assert http.post(CODES, data={"password": PASSWORD}).location == PAGE  # none without a factor
    with app.app_context():
        phone, old = set_up_app(anna, PASSWORD)
    sign_in(app, http, anna)
    assert http.post(CODES, data={"recovery_code": old[0]}).status_code == 200
    assert http.post(CODES, data={"recovery_code": old[1]}).status_code == 422
    new = read_codes(http.post(CODES, data={"code": phone.code()}).text)

    assert len(new) == 10
    assert not {*old} & {*new}


@pytest.mark.one_database
def test_whoever_took_a_session_over_has_ten_guesses_at_the_factor(
    app: Flask, http: FlaskClient, anna: int
) -> None:
    with app.app_context():
        phone, _codes = set_up_app(anna, PASSWORD)
    sign_in(app, http, anna)
    statuses = [http.post(REMOVE, data={"code": "000000"}).status_code for _ in range(11)]
    last = http.post(REMOVE, data={"code": phone.code()})

    assert statuses == [422] * 10 + [429]
    assert (last.status_code, "Retry-After" in last.headers) == (429, True)


@pytest.mark.one_database
def test_the_operator_takes_all_factors_away_and_signs_out(
    app: Flask, http: FlaskClient, anna: int
) -> None:
    with app.app_context():
        set_up_app(anna, PASSWORD)
    sign_in(app, http, anna)
    with app.app_context():
        assert reset_factors(f" {EMAIL.upper()}").email == EMAIL

    assert http.get("/account").location.startswith("/sign-in")
    data = {"email": EMAIL, "password": PASSWORD}
    assert http.post("/sign-in", data=data).location == "/"
