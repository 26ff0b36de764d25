"""The provider itself: discovery, its test, the page and the command; and one that drips."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import db
from portal.egress.waiting import SLOTS_OF_ONE, NoSlotFree, slot_in_request
from portal.scope import tenant_scope
from portal.services.oidc import calls, settings, testing
from tests.oidc.conftest import CALLBACK, go_there, last_reason, save, sign_in
from tests.support.identity_provider import IdentityProvider
from tests.web.conftest import work
from tests.web.world import Place, make_user
from tests.web.world import sign_in as sign_in_here

pytestmark = pytest.mark.mainly("sqlite")

Document = dict[str, Any]

FAULTS: dict[str, tuple[Callable[[Document], object], str]] = {
    "issuer": (lambda each: each.update(issuer=each["issuer"] + "/"), "calls itself"),
    "no token endpoint": (lambda each: each.pop("token_endpoint"), "no usable token_endpoint"),
    "javascript": (
        lambda each: each.update(authorization_endpoint="javascript:alert(1)"),
        "no usable authorization_endpoint",
    ),
    "a port that is none": (
        lambda each: each.update(authorization_endpoint="https://login.example.com:99999/"),
        "no usable authorization_endpoint",
    ),
    "a name that is none": (
        lambda each: each.update(authorization_endpoint=f"https://{'a' * 64}.example.com/"),
        "no usable authorization_endpoint",
    ),
    "letters that no database keeps": (
        lambda each: each.update(issuer="\0 \ud800"),
        "calls itself \N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER},",
    ),
    "algorithms": (
        lambda each: each.update(id_token_signing_alg_values_supported=["HS256", "none"]),
        "signs tokens by none of RS256, ES256, PS256",
    ),
    "no PKCE": (
        lambda each: each.update(code_challenge_methods_supported=["plain"]),
        "does not support PKCE",
    ),
    "no code": (lambda each: each.update(response_types_supported=["id_token"]), "code flow"),
    "no secret": (
        lambda each: each.update(token_endpoint_auth_methods_supported=["private_key_jwt"]),
        "does not take a client secret",
    ),
    "keys elsewhere": (
        lambda each: each.update(jwks_uri=each["issuer"] + "/nothing"),
        "answered with status 404",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_test_says_what_is_wrong(
    app: Flask, company: Place, idp: IdentityProvider, name: str
) -> None:
    idp.change_document, words = FAULTS[name]
    with app.app_context(), tenant_scope(company.id):
        problem = testing.test_provider(CALLBACK)
        assert words in (problem or "")
        assert settings.get_provider().problem == problem


def test_a_wrong_secret_and_plain_http_elsewhere_are_told(
    app: Flask, company: Place, idp: IdentityProvider
) -> None:
    with app.app_context(), tenant_scope(company.id):
        save(idp, client_secret="another one")
        assert "does not accept the client ID" in (testing.test_provider(CALLBACK) or "")
        save(idp, issuer="http://192.0.2.7")
        assert "192.0.2.7" in (testing.test_provider(CALLBACK) or "")


def test_the_page_saves_tests_and_keeps_the_secret(
    app: Flask, http: FlaskClient, acme: Place, idp: IdentityProvider
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in_here(app, http, make_user(app, "owner@acme.example", acme, role="owner"))
    page = "/t/acme/single-sign-on/"
    typed = {
        "issuer": idp.issuer,
        "client_id": "portal",
        "client_secret": "the secret: of the portal",
        "groups_claim": "groups",
        "group": ["staff", "admins", ""],
        "role": ["viewer", "admin", "owner"],
    }
    wrong = http.post(page, data=typed | {"issuer": "login.example?x"})
    assert (wrong.status_code, "staff" in wrong.text, "the secret:" in wrong.text) == (
        422,
        True,
        False,
    )
    assert http.post(page, data=typed).status_code == 302
    work(app, acme.id)

    shown = http.get(page).text
    assert "The identity provider works" in shown
    assert CALLBACK in shown
    assert "the secret:" not in shown
    with app.app_context(), tenant_scope(acme.id):
        saved = settings.read_settings()
        assert saved.group_roles == {"staff": "viewer", "admins": "admin"}
        assert saved.default_role == ""


def test_a_provider_that_drips_holds_two_threads_and_for_seconds(
    app: Flask,
    http: FlaskClient,
    anna: int,
    company: Place,
    idp: IdentityProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls, "SECONDS", 2.0)
    idp.slow = threading.Event()
    waiting = []
    for _ in range(SLOTS_OF_ONE):
        browser = app.test_client()
        back = go_there(browser, "/t/acme/sign-in/start", idp)
        thread = threading.Thread(target=browser.get, args=(back,))
        thread.start()
        waiting.append(thread)
        assert idp.waiting.acquire(timeout=10)
    back = go_there(http, "/t/acme/sign-in/start", idp)

    busy = http.get(back)
    assert (busy.status_code, busy.headers["Refresh"]) == (503, "2")
    for thread in waiting:
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert "did not answer in time" in last_reason(app, company)
    idp.slow = None
    assert http.get(back).location == "/t/acme/"


def test_a_provider_that_takes_the_secret_in_the_form_gets_it_there(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    idp.in_form = True
    idp.change_document = lambda found: found.update(
        token_endpoint_auth_methods_supported=["client_secret_post"]
    )
    with app.app_context(), tenant_scope(company.id):
        assert testing.test_provider(CALLBACK) is None
        db.session.remove()

    assert sign_in(http, idp).location == "/t/acme/"


def test_the_third_slot_is_left_to_other_tenants() -> None:
    with ExitStack() as stack:
        for _ in range(SLOTS_OF_ONE):
            stack.enter_context(slot_in_request(1))
        with pytest.raises(NoSlotFree), slot_in_request(1):
            pass
        stack.enter_context(slot_in_request(2))
        for tenant_id in (2, 3):
            with pytest.raises(NoSlotFree), slot_in_request(tenant_id):
                pass
    with slot_in_request(1):
        pass
