"""Re-authentication: what matters most wants a proof of the last half hour, and loses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.scope import tenant_scope
from portal.services.accounts import users
from portal.services.accounts.permissions import Permission
from portal.services.integrations.current import get_integration
from tests.web.safety.test_isolation import address
from tests.web.world import Place, make_user

pytestmark = pytest.mark.mainly("postgresql")

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
ASKS = {
    *("assets.delete", "tacticalrmm.disconnect", "tacticalrmm.save", "webhook.rotate"),
    *("channels.add", "channels.delete", "channels.save"),
    *("helpdesks.add", "helpdesks.delete", "helpdesks.save"),
    *("browsers.end", "browsers.end_others", "factor_rules.save", "places.leave"),
    *("clients.delete", "organizations.remove_created", "subscribers.add", "subscribers.delete"),
    *("tacticalrmm.decide_identity", "webhook.reveal", "api_tokens.add", "api_tokens.revoke"),
    "api_tokens.revoke_many",
    *("users.change_role", "users.disable", "users.enable", "users.end_browser", "users.invite"),
    *("users.limit", "users.remove", "users.renew_invitation", "users.reset", "users.sign_out"),
    *("users.withdraw_invitation", "sso.link", "sso.unlink"),
    *("single_sign_on.save", "single_sign_on.switch_off", "single_sign_on.unlink"),
    *("windows.add_link", "windows.revoke_link"),
    "rules.delete",
}
OPENS_MUCH = {Permission.DELETE, Permission.MANAGE_USERS, Permission.MANAGE_TOKENS}
WORDS = {
    *("app", "browser", "browsers", "code", "codes", "credentials", "delete", "disconnect"),
    *("factor", "factors", "identity", "invitation", "invite", "key", "keys", "leave"),
    *("passkey", "passkeys", "password", "remove", "reset", "reveal", "revoke", "rotate"),
    *("secret", "secrets", "token", "tokens", "unlink", "user", "users"),
}
"""Nouns and verbs of what matters most: credentials, factors, people, and what is gone for good."""
NEED_NOT = {
    **dict.fromkeys(
        (
            *("saved_views.delete", "watches.remove", "watches.remove_many"),
            *("windows.delete", "windows.delete_many"),
        ),
        "It can be undone from the message that says it was done.",
    ),
    **dict.fromkeys(
        (
            *("passkeys.add", "passkeys.remove", "second_factors.add_app"),
            *("second_factors.remove_app", "second_factors.renew_codes"),
        ),
        "The form itself asks for a proof, each time.",
    ),
    **dict.fromkeys(
        ("passkeys.finish", "second_factors.confirm_app"), "It ends what began with a proof."
    ),
    "passkeys.rename": "A name opens nothing.",
    "second_factors.offer": "It puts setting one up off, right after the sign-in.",
    **dict.fromkeys(
        (
            *("auth.accept_invitation", "auth.reset", "auth.show_invitation", "auth.show_reset"),
            "second_step.use_passkey_alone",
        ),
        "Whoever does it is not signed in; a link or a passkey is the proof.",
    ),
    "single_sign_on.test": "It tries what is saved, and saves nothing.",
    "tacticalrmm.enter_code": "A code is good for half a minute, which a proof would take; it "
    "opens nothing that the portal does not hold the password of, and is kept nowhere.",
}
"""What these words or permissions point at and asks for nothing, and why."""
KEY = "A-KEY-THAT-WAS-TYPED-0123"


@pytest.fixture
def anna(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    """An owner of acme, who signed in with her password."""
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        users.add_user(EMAIL, PASSWORD, acme.slug, "owner")
    http.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    return http


@contextmanager
def half_an_hour_later() -> Iterator[None]:
    with time_machine.travel(utc_now() + timedelta(minutes=30), tick=False):
        yield


def sealed_in(page: str) -> list[str]:
    """The parts of the form that the page carries, as one of its forms sends them."""
    form = page[page.index('class="proof"') :]
    return re.findall(r'name="sealed" value="([^"]+)"', form[: form.index("</form>")])


@pytest.mark.one_database
def test_what_matters_most_asks_and_nothing_else_does(
    app: Flask, anna: FlaskClient, acme: Place
) -> None:
    asking, before = set(), set(users_of(app, acme))
    with half_an_hour_later():
        for rule in app.url_map.iter_rules():
            if "POST" not in (rule.methods or ()) or rule.endpoint == "auth.sign_out":
                continue
            view = app.view_functions[rule.endpoint]
            if rule.endpoint in ASKS or getattr(view, "is_fresh_required", False):
                answer = anna.post(address(rule, acme.slug, acme))
                if answer.status_code == 401 and "Confirm that it is you" in answer.text:
                    asking.add(rule.endpoint)

    assert asking == ASKS
    assert set(users_of(app, acme)) == before


@pytest.mark.one_database
def test_whatever_sounds_like_it_asks(app: Flask) -> None:
    """A new deletion, or a page of credentials or people, is marked or excepted here."""
    found = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        words = set(re.split(r"[._]", rule.endpoint))
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"} and (
            words & WORDS or getattr(view, "permission", None) in OPENS_MUCH
        ):
            found.add(rule.endpoint)
    assert found - ASKS == NEED_NOT.keys()


def users_of(app: Flask, acme: Place) -> list[tuple[str, str, bool]]:
    with app.app_context(), tenant_scope(acme.id):
        return [
            (each.user.email, each.role, each.disabled_at is None) for each in users.list_members()
        ]


def test_the_form_is_carried_through_and_holds_no_secret_in_clear(
    app: Flask, anna: FlaskClient, acme: Place
) -> None:
    page, secret = acme.url("integrations/tacticalrmm/"), KEY * 350
    typed = {"base_url": "https://api.acme.example", "page_size": "123", "api_key": KEY}
    assert anna.post(page, data={"page_size": "99"}).status_code == 302, "fresh"
    with half_an_hour_later():
        asked = anna.post(page, data=typed | {"password": secret[:8192]})
        sealed = sealed_in(asked.text)
        assert (asked.status_code, KEY in asked.text, len(sealed) > 1) == (401, False, True)
        wrong = anna.post(page, data={"sealed": sealed, "password": "wrong"})
        assert (wrong.status_code, sealed_in(wrong.text)) == (422, sealed)
        anna.post(page, data={"sealed": sealed_in(asked.text), "password": PASSWORD})
        assert page_size_of(app, acme) == 99, "so long a password is refused, and nothing saved"
        assert anna.post(page, data=typed | {"page_size": "124"}).status_code == 302, "fresh again"
    assert page_size_of(app, acme) == 124


def page_size_of(app: Flask, acme: Place) -> int:
    with app.app_context(), tenant_scope(acme.id):
        return get_integration().page_size


def test_the_session_of_before_ends(app: Flask, anna: FlaskClient, acme: Place) -> None:
    taken = app.test_client()
    with anna.session_transaction() as own, taken.session_transaction() as copy:
        copy.update(own)
    assert taken.get(acme.url()).status_code == 200
    page, role = acme.url(f"users/{acme.member}/role"), {"role": "admin"}
    with half_an_hour_later():
        sealed = sealed_in(anna.post(page, data=role).text)
        done = anna.post(page, data={"sealed": sealed, "password": PASSWORD})

        assert done.location == acme.url(f"users/{acme.member}")
        assert ("member@acme.example", "admin", True) in users_of(app, acme)
        assert anna.get(acme.url()).status_code == 200
        assert taken.get(acme.url()).location.startswith("/sign-in")


@pytest.mark.one_database
def test_what_was_sealed_opens_for_its_session_and_address_alone(
    app: Flask, anna: FlaskClient, acme: Place
) -> None:
    member, other = acme.member, make_user(app, "other@acme.example", acme, role="viewer")
    page = acme.url(f"users/{member}/role")
    with half_an_hour_later():
        sealed = sealed_in(anna.post(page, data={"role": "owner"}).text)
        proof = {"sealed": sealed, "password": PASSWORD}
        for path, form in (
            (acme.url(f"users/{other}/role"), proof),
            (page, proof | {"sealed": ["v1.k1.AAAA.AAAA"]}),
            (page, proof | {"sealed": ["nothing"]}),
        ):
            answer = anna.post(path, data=form)
            assert (answer.status_code, "cannot be read any more" in answer.text) == (400, True)
        visitor = app.test_client()
        visitor.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
        assert visitor.post(page, data=proof).status_code == 400
    assert ("member@acme.example", "viewer", True) in users_of(app, acme)


@pytest.mark.one_database
def test_passwords_cannot_be_tried_out(anna: FlaskClient, acme: Place) -> None:
    page = acme.url("users/invite")
    with half_an_hour_later():
        sealed = sealed_in(anna.post(page, data={"email": "x@y.example"}).text)
        wrong = {"sealed": sealed, "password": "wrong"}
        codes = [anna.post(page, data=wrong).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
