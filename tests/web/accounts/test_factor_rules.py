"""Tenants that require a second factor, and owners who are asked to set one up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Authenticator, Tenant
from portal.models.accounts.tenant import FactorRule
from portal.services.accounts.second_factors.requirement import is_required, set_rule
from portal.services.accounts.tenants import NEW_FOR, add_tenant
from portal.services.accounts.users import add_user
from tests.support.second_factors import set_up_app, steps_later
from tests.web.conftest import HTMX
from tests.web.world import Place, make_place, make_user, sign_in

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
OFFER, SECOND = "/account/second-factor/offer", "/sign-in/second-step/"


@pytest.fixture
def forms(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


def post(http: FlaskClient) -> str | None:
    return http.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).location


def test_whoever_lacks_what_the_tenant_requires_sees_nothing_of_it_before(
    app: Flask, http: FlaskClient, acme: Place, forms: None
) -> None:
    other = make_place(app, "other")
    with app.app_context():
        set_rule("acme", "all")
        for slug in ("acme", "other"):
            user = add_user(EMAIL, PASSWORD, slug, "viewer")
    sign_in(app, http, user.id)
    page = http.get(acme.url("assets/?q=a"))
    assert page.location == f"{OFFER}?next=/t/acme/assets/?q%3Da"
    assert "acme-pc" not in page.text
    assert http.post(acme.url("sync-runs/start/devices")).location.startswith(OFFER)
    region = http.get(acme.url("assets/"), headers=HTMX)
    assert (region.status_code, region.text) == (401, "")
    assert region.headers["HX-Redirect"].startswith(OFFER)
    offer = http.get(page.location).text
    assert "Acme IT requires a second factor of you." in offer
    assert "Skip" not in offer
    http.post(OFFER)  # skipping opens nothing
    assert http.get(acme.url()).location.startswith(OFFER)
    assert http.get(other.url()).status_code == 200  # where it is not required

    with app.app_context():
        set_up_app(user.id, PASSWORD)
    sign_in(app, http, user.id)
    assert http.get(acme.url()).status_code == 200
    assert http.get(page.location).location == acme.url("assets/?q=a")


@pytest.mark.one_database
def test_an_app_that_is_not_confirmed_does_not_do(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    user_id = make_user(app, EMAIL, acme)
    with app.app_context():
        set_rule("acme", "admins")
        with transaction() as session:
            session.add(Authenticator(user_id=user_id, envelope="v1.k1.x.x"))
    sign_in(app, http, user_id)

    assert http.get(acme.url()).location.startswith(OFFER)


@pytest.mark.parametrize(
    ("rule", "of"),
    [
        (FactorRule.NOBODY, set()),
        (FactorRule.ADMINS, {"owner", "admin"}),
        (FactorRule.ALL, {"owner", "admin", "technician", "viewer"}),
    ],
)
def test_whose_factor_a_rule_requires(rule: FactorRule, of: set[str]) -> None:
    roles = ("owner", "admin", "technician", "viewer")
    assert {role for role in roles if is_required(Tenant(factor_rule=rule), role)} == of


@pytest.mark.one_database
def test_an_owner_sets_the_rule_and_sees_who_lacks_one(
    app: Flask, http: FlaskClient, acme: Place, forms: None
) -> None:
    with app.app_context():
        owner = add_user(EMAIL, PASSWORD, "acme", "owner")
        add_user("bert@acme.example", PASSWORD, "acme", "viewer")
        set_up_app(owner.id, PASSWORD)
    sign_in(app, http, owner.id)
    page = acme.url("second-factors/")
    assert "Must be set up" not in http.get(page).text
    assert http.post(page, data={"rule": "all"}).location == page
    told = http.get(page).text
    [own] = [row for row in told.split("<tr>") if f'users/{owner.id}">{EMAIL}</a>' in row]
    [bert] = [row for row in told.split("<tr>") if ">bert@acme.example</a>" in row]
    assert "Must be set up" not in own
    assert "Must be set up" in bert
    assert http.post(page, data={"rule": "king"}).status_code == 422


@pytest.mark.one_database
def test_a_new_owner_is_asked_once_and_may_skip(
    app: Flask, http: FlaskClient, acme: Place, forms: None
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, "acme", "owner")
    assert post(http) == f"{OFFER}?next=/"
    assert "Skip for now" in http.get(OFFER).text
    assert http.post(f"{OFFER}?next=/account").location == "/account"
    assert http.post(f"{OFFER}?next=//evil.example").location == "/"
    assert post(http) == "/"


@pytest.mark.one_database
def test_an_owner_with_a_factor_and_other_roles_are_not_asked(
    app: Flask, http: FlaskClient, acme: Place, forms: None
) -> None:
    with app.app_context():
        user = add_user(EMAIL, PASSWORD, "acme", "admin")
    assert post(http) == "/"
    with app.app_context():
        add_user(EMAIL, PASSWORD, "acme", "owner")
        phone, _codes = set_up_app(user.id, PASSWORD)
    assert post(http) == f"{SECOND}?next=/"
    with steps_later(0):
        assert http.post(f"{SECOND}?next=/", data={"code": phone.code()}).location == "/"


@pytest.mark.one_database
def test_a_new_tenant_requires_one_of_everybody_after_a_week_unless_an_owner_decides(
    app: Flask, http: FlaskClient, forms: None
) -> None:
    with app.app_context():
        add_tenant("New IT", "new")
        for name in ("owner", "viewer"):
            add_user(f"{name}@new.example", PASSWORD, "new", name)
        add_user(EMAIL, PASSWORD, "new", "viewer")
    for passed, status in ((NEW_FOR - timedelta(hours=1), 200), (NEW_FOR, 302)):
        with time_machine.travel(utc_now() + passed, tick=False):
            assert post(http) == "/"
            answer = http.get("/t/new/")
            assert (answer.status_code, OFFER in (answer.location or "")) == (status, status == 302)

    with app.app_context():
        set_rule("new", "all")
    post(http)
    assert http.get("/t/new/").location.startswith(OFFER), "what was decided holds at once"
    with app.app_context():
        set_rule("new", "nobody")
    with time_machine.travel(utc_now() + 2 * NEW_FOR, tick=False):
        post(http)
        assert http.get("/t/new/").status_code == 200
