"""The first visit: the first owner, guarded by the token that the console printed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.services.accounts.setup import issue_token
from portal.services.accounts.tenants import add_tenant, list_tenants

pytestmark = pytest.mark.one_database

TYPED = {
    "tenant_name": "Acme IT",
    "slug": "acme",
    "email": "anna@acme.example",
    "password": "correct horse battery",
}


@pytest.fixture
def token(app: Flask) -> str:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        token = issue_token()
    assert token
    return token


def post(http: FlaskClient, **typed: str) -> TestResponse:
    return http.post("/setup", data=TYPED | typed)


def test_the_first_visit_leads_to_the_set_up(http: FlaskClient) -> None:
    assert http.get("/").location == "/setup"
    assert "Setup token" in http.get("/setup").text


def test_the_token_makes_one_owner_and_is_used_up(
    app: Flask, http: FlaskClient, token: str
) -> None:
    assert post(http, token=f" {token} ").location == "/account/second-factor/offer?next=/"
    assert http.get("/").location == "/t/acme/"
    assert http.get("/t/acme/").status_code == 200

    assert post(app.test_client(), token=token, email="eve@evil.example").location == "/"
    assert app.test_client().get("/setup").location == "/"
    assert app.test_client().get("/").location == "/sign-in"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"token": "guessed"}, "This setup token is not valid."),
        ({"token": ""}, "This setup token is not valid."),
        ({"slug": "7up"}, "Start with a letter"),
        ({"slug": "Acme"}, "Start with a letter"),
        ({"email": "anna"}, "Enter an email address"),
        ({"password": "short"}, "at least 12 characters"),
        ({"password": "password1234"}, "one of the most common"),
        ({"password": "anna@acme.example"}, "Do not use your email address"),
        ({"tenant_name": "  "}, "Enter the name of your company."),
    ],
)
def test_what_is_wrong_stands_by_its_field(
    app: Flask, http: FlaskClient, token: str, wrong: dict[str, str], message: str
) -> None:
    answer = post(http, **{"token": token} | wrong)

    assert answer.status_code == 422
    assert message in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert TYPED["password"] not in answer.text
    assert token not in answer.text
    assert http.get("/").location == "/setup"


def test_the_short_name_follows_from_the_company(app: Flask, http: FlaskClient, token: str) -> None:
    post(http, token=token, tenant_name="Bauer & Söhne IT", slug="")
    with app.app_context():
        assert [tenant.slug for tenant in list_tenants()] == ["bauer-soehne-it"]
        names = ("Bauer, Söhne IT", "7up", "Łódź", "日本", "a" * 60)
        made = [add_tenant(name).slug for name in names]
    assert made == ["bauer-soehne-it-2", "msp-7up", "lodz", "msp", "a" * 40]
