"""How strongly the provider asked somebody, where the tenant requires a second factor."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.scope import tenant_scope
from portal.services.accounts.invitations import invite
from portal.services.accounts.second_factors.requirement import set_rule
from tests.oidc.conftest import come_back, last_reason, leave_to_join, link_to, save, sign_in
from tests.support.identity_provider import IdentityProvider
from tests.web.world import Place, make_user

pytestmark = pytest.mark.mainly("sqlite")

TELLING = [{"amr": ["pwd", "mfa"]}, {"amr": "mfa"}, {"acr": "gold"}]
NOT_TELLING = [{}, {"amr": ["pwd"]}, {"amr": {"mfa": True}, "acr": 2}, {"acr": "Gold"}]


@pytest.fixture
def strict(app: Flask, company: Place, idp: IdentityProvider) -> int:
    """Carla, a technician of a tenant that requires a second factor of all."""
    carla = make_user(app, "carla@acme.example", company, role="technician")
    link_to(app, company, carla, idp, "carla-3")
    with app.app_context(), tenant_scope(company.id):
        save(idp, second_factor_words="mfa gold")
        set_rule("acme", "all")
    return carla


@pytest.mark.parametrize("claims", TELLING)
def test_a_token_that_tells_of_a_second_factor_lets_in(
    http: FlaskClient, strict: int, idp: IdentityProvider, claims: dict[str, object]
) -> None:
    idp.person = {"sub": "carla-3", **claims}

    assert sign_in(http, idp).location == "/t/acme/"

    assert http.get("/t/acme/").status_code == 200


@pytest.mark.parametrize("claims", NOT_TELLING)
def test_what_is_not_told_was_a_password_alone(
    app: Flask,
    http: FlaskClient,
    strict: int,
    company: Place,
    idp: IdentityProvider,
    claims: dict[str, object],
) -> None:
    idp.person = {"sub": "carla-3", **claims}

    sign_in(http, idp)

    assert "requires a second factor" in http.get("/t/acme/sign-in").text
    assert http.get("/t/acme/").status_code == 302
    assert last_reason(app, company).startswith(
        "No access: carla@acme.example needs a second factor, and the token does not say"
    )


def test_nor_does_anybody_join_without(
    app: Flask, http: FlaskClient, strict: int, company: Place, idp: IdentityProvider
) -> None:
    with app.app_context():
        link = invite("new@acme.example", "acme", "viewer").link
    app.config["WTF_CSRF_ENABLED"] = False
    for claims, status in (({}, 302), ({"amr": ["mfa"]}, 200)):
        idp.person = {"sub": "new-1", **claims}
        http.get(come_back(leave_to_join(http, link), idp))
        assert http.get("/t/acme/").status_code == status


def test_nothing_is_expected_of_whom_the_tenant_asks_none_or_where_no_word_is_saved(
    app: Flask, http: FlaskClient, strict: int, company: Place, idp: IdentityProvider
) -> None:
    idp.person = {"sub": "carla-3"}
    with app.app_context():
        set_rule("acme", "admins")
    assert sign_in(http, idp).location == "/t/acme/"

    with app.app_context(), tenant_scope(company.id):
        set_rule("acme", "all")
        save(idp, second_factor_words="")
    assert sign_in(http, idp).location == "/t/acme/"
