"""Linking oneself, proving again, and tenants that require their provider."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.scope import tenant_scope
from portal.services.accounts import users
from portal.services.oidc import people, settings
from tests.oidc.conftest import (
    come_back,
    go_there,
    last_reason,
    last_row,
    leave,
    link_to,
    save,
    sign_in,
)
from tests.support.identity_provider import IdentityProvider
from tests.support.second_factors import Phone, set_up_app, steps_later
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_user

pytestmark = pytest.mark.mainly("postgresql")

EMAIL, PASSWORD = "bob@acme.example", "correct horse battery"


@pytest.fixture
def bob(app: Flask, http: FlaskClient, company: Place) -> int:
    """An owner of acme who is signed in with his password, and linked to nobody."""
    with app.app_context():
        user_id = users.add_user(EMAIL, PASSWORD, "acme", "owner").id
        db.session.remove()
    give_password(http)
    return user_id


def give_password(http: FlaskClient) -> None:
    assert http.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 302


def test_somebody_who_is_signed_in_links_and_unlinks_himself(
    app: Flask, http: FlaskClient, bob: int, company: Place, idp: IdentityProvider
) -> None:
    idp.person = {"sub": "bob-9"}
    assert "Link" in http.get("/account").text

    assert http.get(come_back(leave(http, "/t/acme/sign-in/link"), idp)).location == "/account"
    assert last_row(app, company).action == "single_sign_on.linked"
    assert sign_in(app.test_client(), idp).location == "/t/acme/"
    assert http.post("/t/acme/sign-in/unlink").location == "/account"
    assert last_row(app, company).action == "single_sign_on.unlinked"
    assert sign_in(app.test_client(), idp).location == "/t/acme/sign-in"


@pytest.mark.one_database
def test_only_whoever_began_is_linked(
    app: Flask, http: FlaskClient, bob: int, company: Place, idp: IdentityProvider
) -> None:
    make_user(app, "boss@acme.example", company, role="owner")
    idp.person = {"sub": "bob-9"}
    back = come_back(leave(http, "/t/acme/sign-in/link"), idp)
    with app.app_context():  # meanwhile his password was stolen, and he was signed out
        users.change_role(EMAIL, "acme", "admin")
    assert http.get(back).location == "/t/acme/sign-in"
    assert "whoever began is not signed in any more" in last_reason(app, company)

    give_password(http)
    other = make_user(app, "eve@acme.example", company)
    with app.app_context(), tenant_scope(company.id):
        people.link(other, idp.issuer, "bob-9")
    http.get(come_back(leave(http, "/t/acme/sign-in/link"), idp))
    assert "linked to another user" in last_reason(app, company)


@pytest.mark.one_database
def test_a_link_wants_a_fresh_sign_in(http: FlaskClient, bob: int) -> None:
    with time_machine.travel(utc_now() + timedelta(minutes=31), tick=False):
        answer = http.post("/t/acme/sign-in/link")
    assert (answer.status_code, "Confirm that it is you" in answer.text) == (401, True)


@pytest.mark.one_database
def test_a_session_of_a_provider_proves_there_who_it_is_and_loses_nothing(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    make_user(app, "bob@acme.example", company, role="viewer")
    idp.change_claims = lambda claims: claims.update(auth_time=claims["iat"] - 3600)
    sign_in(http, idp)
    with http.session_transaction() as cookie:
        token = cookie["token"]
    typed = {"email": "new@acme.example", "role": "viewer"}
    asked = http.post("/t/acme/users/invite", data=typed)
    assert asked.status_code == 401
    sealed = asked.text.split('name="sealed" value="')[1].split('"')[0]
    early = http.post("/t/acme/users/invite", data={"sealed": sealed})
    assert (early.status_code, "not signed in with your company again yet" in early.text) == (
        422,
        True,
    )

    assert "max_age=0" in http.get("/t/acme/sign-in/prove").location
    http.get(go_there(http, "/t/acme/sign-in/prove", idp))
    assert "was not asked to sign in again" in last_reason(app, company)
    idp.change_claims = lambda claims: claims.pop("auth_time")
    http.get(go_there(http, "/t/acme/sign-in/prove", idp))
    assert "does not say when the person signed in" in last_reason(app, company)
    idp.change_claims, idp.person = None, {"sub": "another"}
    http.get(go_there(http, "/t/acme/sign-in/prove", idp))
    assert "it is another person of the provider" in last_reason(app, company)
    assert http.post("/t/acme/users/invite", data={"sealed": sealed}).status_code == 422

    idp.person = {"sub": "anna-1"}
    assert "It is you" in http.get(go_there(http, "/t/acme/sign-in/prove", idp)).text
    done = http.post("/t/acme/users/invite", data={"sealed": sealed})
    assert "Send this link to new@acme.example" in done.text
    with http.session_transaction() as cookie:
        assert cookie["token"] != token


@pytest.fixture
def required(app: Flask, bob: int, company: Place, idp: IdentityProvider) -> Phone:
    """Acme requires its provider; bob has a second factor."""
    with app.app_context():
        phone, _codes = set_up_app(bob, PASSWORD)
        with tenant_scope(company.id):
            save(idp, required=True)
        db.session.remove()
    return phone


def test_a_tenant_that_requires_its_provider_shows_nothing_to_others(
    http: FlaskClient, required: Phone, company: Place, idp: IdentityProvider
) -> None:
    answer = sign_in_by_password(http, required)
    assert answer == "/t/acme/"
    assert http.get("/t/acme/assets/").location.startswith("/t/acme/sign-in?next=")
    page = http.get("/t/acme/sign-in").text
    assert "requires that you sign in with your company" in page
    assert http.get("/t/acme/assets/export.csv").status_code == 302


def test_whoever_is_limited_to_clients_opens_it_by_the_provider(
    app: Flask, http: FlaskClient, required: Phone, company: Place, idp: IdentityProvider
) -> None:
    link_to(app, company, limited_user(app, company, company.client), idp, "carla-3")
    idp.person = {"sub": "carla-3"}

    assert sign_in(http, idp).location == "/t/acme/"

    assert http.get("/t/acme/").status_code == 200


def test_an_owner_enters_without_the_provider_which_is_recorded_and_told(
    app: Flask, http: FlaskClient, required: Phone, company: Place, idp: IdentityProvider
) -> None:
    sign_in_by_password(http, required)
    page = "/t/acme/sign-in/without-provider"
    assert http.post(page, data={"password": PASSWORD}).status_code == 422
    assert http.get("/t/acme/").status_code == 302

    assert http.post(page, data={"code": required.code()}).location == "/t/acme/"
    assert http.get("/t/acme/").status_code == 200
    row = last_row(app, company)
    assert (row.action, row.target_name) == ("single_sign_on.entered_without", EMAIL)
    assert "An owner entered without" in http.get("/t/acme/").text
    assert EMAIL in http.get("/t/acme/single-sign-on/").text


def sign_in_by_password(http: FlaskClient, phone: Phone) -> str | None:
    with http.session_transaction() as cookie:
        cookie.clear()
    with steps_later(-1):
        give_password(http)
        http.post("/sign-in/second-step/", data={"code": phone.code()})
    return http.get("/").location


@pytest.mark.one_database
def test_who_may_not_enter_without_the_provider(
    app: Flask, http: FlaskClient, required: Phone, company: Place, idp: IdentityProvider
) -> None:
    """Nobody but an owner; and no owner by a factor that the password alone has set up since."""
    page = "/t/acme/sign-in/without-provider"
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        late = users.add_user("late@acme.example", PASSWORD, "acme", "owner").id
        users.add_user("carl@acme.example", PASSWORD, "acme", "admin")
    later = app.test_client()
    with time_machine.travel(utc_now() + timedelta(hours=1), tick=False):
        later.post("/sign-in", data={"email": "late@acme.example", "password": PASSWORD})
        with app.app_context():
            phone, _codes = set_up_app(late, PASSWORD)
        later.post("/sign-in", data={"email": "late@acme.example", "password": PASSWORD})
        later.post("/sign-in/second-step/", data={"code": phone.code()})
        with steps_later(1):
            assert later.post(page, data={"code": phone.code()}).location.startswith("/account/")
        assert later.get("/t/acme/").status_code == 302
    carl = app.test_client()
    carl.post("/sign-in", data={"email": "carl@acme.example", "password": PASSWORD})
    carl.post(page, data={"password": PASSWORD})
    assert carl.get("/t/acme/").status_code == 302


@pytest.mark.one_database
def test_nobody_is_locked_out_by_the_settings(
    app: Flask, bob: int, company: Place, idp: IdentityProvider
) -> None:
    with app.app_context(), tenant_scope(company.id):
        with pytest.raises(InvalidInput, match="No owner has a second factor"):
            save(idp, required=True)
        set_up_app(bob, PASSWORD)
        save(idp, required=True)
        with pytest.raises(InvalidInput, match="cannot be replaced"):
            save(idp, issuer="https://login.example", required=True)
        settings.switch_off()
        assert settings.read_settings().required is False
        with pytest.raises(InvalidInput, match="let its test pass"):
            save(idp, issuer="https://login.example", required=True)
