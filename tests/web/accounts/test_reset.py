"""Links that set a password, and what becomes of people whose place is changed by a command."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.db import db
from portal.models import AuditEntry, PasswordReset
from portal.scope import tenant_scope
from portal.services.accounts import users
from portal.services.accounts.password_changes import issue_reset, set_password
from portal.services.accounts.second_factors.status import list_kinds
from tests.support.second_factors import set_up_app
from tests.web.conftest import code_of
from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.mainly("postgresql")

EMAIL, PASSWORD, NEW = "anna@acme.example", "correct horse battery", "another horse battery"
NOT_VALID = "This link is not valid."


@pytest.fixture
def anna(app: Flask, acme: Place) -> int:
    """An owner of acme beside another one."""
    app.config["WTF_CSRF_ENABLED"] = False
    make_user(app, "boss@acme.example", acme, role="owner")
    with app.app_context():
        return users.add_user(EMAIL, PASSWORD, acme.slug, "owner").id


@pytest.fixture
def link(app: Flask, anna: int) -> str:
    return new_link(app)


def new_link(app: Flask) -> str:
    with app.app_context():
        return issue_reset(f" {EMAIL.upper()}").link


def look(http: FlaskClient, link: str) -> TestResponse:
    return http.post("/reset", data={"code": link})


def choose(http: FlaskClient, link: str, password: str) -> TestResponse:
    return http.post("/reset/password", data={"code": code_of(link), "password": password})


def signs_in(app: Flask, password: str) -> bool:
    data = {"email": EMAIL, "password": password}
    return app.test_client().post("/sign-in", data=data).status_code == 302


def test_a_link_sets_the_password_once_and_signs_out_everywhere(
    app: Flask, http: FlaskClient, acme: Place, anna: int, link: str
) -> None:
    elsewhere = app.test_client()
    sign_in(app, elsewhere, anna)
    for _ in range(2):  # looking uses nothing up
        page = look(http, link)
        assert (page.status_code, "Choose a new password" in page.text) == (200, True)
    done = choose(http, link, NEW)

    assert done.location == "/sign-in"
    assert "Your password was changed." in http.get("/sign-in").text
    assert elsewhere.get(acme.url()).location.startswith("/sign-in")
    assert (signs_in(app, PASSWORD), signs_in(app, NEW)) == (False, True)
    for answer in (look(http, link), choose(http, link, PASSWORD)):
        assert (answer.status_code, NOT_VALID in answer.text) == (404, True)


@pytest.mark.one_database
def test_a_password_that_cannot_be_taken_leaves_the_link(
    http: FlaskClient, app: Flask, link: str
) -> None:
    for bad in ("short", "password1234", EMAIL):
        answer = choose(http, link, bad)
        assert answer.status_code == 422
        assert 'id="password-error"' in answer.text
        assert f'value="{bad}"' not in answer.text.replace(f'value="{EMAIL}" autocomplete', "")
    assert choose(http, link, NEW).status_code == 302
    assert signs_in(app, NEW)


@pytest.mark.one_database
def test_links_that_do_not_hold_are_all_alike(app: Flask, http: FlaskClient, link: str) -> None:
    newer = new_link(app)
    with time_machine.travel(utc_now() + timedelta(hours=24, seconds=1), tick=False):
        too_old = look(http, newer)
    replaced, made_up = look(http, link), look(http, "x" * 43)

    assert {answer.status_code for answer in (too_old, replaced, made_up)} == {404}
    texts = {re.sub(r'content="[^"]+"', "", page.text) for page in (too_old, replaced, made_up)}
    assert len(texts) == 1  # but for the CSRF token
    assert NOT_VALID in made_up.text
    assert EMAIL not in made_up.text
    with time_machine.travel(utc_now() + timedelta(hours=23, minutes=59), tick=False):
        assert look(http, newer).status_code == 200


@pytest.mark.one_database
def test_another_change_of_the_password_ends_the_link(
    app: Flask, http: FlaskClient, anna: int, link: str
) -> None:
    with app.app_context():
        set_password(EMAIL, NEW)

    assert look(http, link).status_code == 404
    assert signs_in(app, NEW)


def test_of_many_at_once_one_sets_the_password(app: Flask, link: str) -> None:
    words = [f"{number} horses of a battery" for number in range(6)]

    def press(password: str) -> int:
        return choose(app.test_client(), link, password).status_code

    with ThreadPoolExecutor(len(words)) as pool:
        statuses = list(pool.map(press, words))

    assert sorted(statuses) == [302, 404, 404, 404, 404, 404]
    assert [signs_in(app, word) for word in words] == [status == 302 for status in statuses]


@pytest.mark.one_database
def test_guesses_at_links_are_counted(http: FlaskClient, link: str) -> None:
    statuses = [choose(http, str(n), NEW).status_code for n in range(101)]

    assert statuses == [404] * 100 + [429]


@pytest.mark.one_database
def test_a_link_lets_nobody_in_who_is_disabled(
    app: Flask, http: FlaskClient, acme: Place, anna: int, link: str
) -> None:
    with app.app_context():
        users.disable_user(EMAIL, acme.slug)
    assert look(http, link).status_code == 404
    choose(http, new_link(app), NEW)

    assert not signs_in(app, NEW)
    with app.app_context():
        users.enable_user(EMAIL, acme.slug)
    assert signs_in(app, NEW)


# --- Places, from the next request on ---------------------------------------------------


@pytest.mark.parametrize("change", [users.disable_user, users.remove_user])
def test_who_is_shut_out_of_the_only_tenant_is_signed_out(
    app: Flask, http: FlaskClient, acme: Place, anna: int, change: object
) -> None:
    sign_in(app, http, anna)
    assert http.get(acme.url()).status_code == 200
    with app.app_context():
        change(EMAIL, acme.slug)  # type: ignore[operator]

    assert http.get(acme.url()).location.startswith("/sign-in")
    assert not signs_in(app, PASSWORD)


@pytest.mark.parametrize("change", [users.disable_user, users.remove_user])
def test_who_has_another_tenant_keeps_that(
    app: Flask, http: FlaskClient, acme: Place, anna: int, change: object
) -> None:
    other = make_place(app, "other")
    with app.app_context():
        users.add_user(EMAIL, PASSWORD, "other", "viewer")
        change(EMAIL, acme.slug)  # type: ignore[operator]
    http.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})

    assert http.get(acme.url()).status_code == 404
    assert http.get(other.url()).status_code == 200
    assert acme.url() not in http.get("/account").text


@pytest.mark.parametrize("change", ["viewer", "disable", "none"])
def test_another_role_and_a_closed_place_end_the_sessions(
    app: Flask, http: FlaskClient, acme: Place, anna: int, change: str
) -> None:
    sign_in(app, http, anna)
    with app.app_context():
        if change == "disable":
            users.disable_user(EMAIL, acme.slug)
        else:
            users.change_role(EMAIL, acme.slug, "viewer" if change == "viewer" else "owner")

    ended = http.get(acme.url()).location
    assert (ended or "").startswith("/sign-in") == (change != "none")
    http.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    settings = http.post(acme.url("integrations/tacticalrmm/"), data={"page_size": "100"})
    assert settings.status_code == (403 if change == "viewer" else 302)


def test_two_owners_who_remove_each_other_at_once_leave_one(
    app: Flask, acme: Place, anna: int
) -> None:
    def remove(email: str) -> bool:
        with app.app_context():
            try:
                users.remove_user(email, acme.slug)
            except Exception:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        removed = list(pool.map(remove, [EMAIL, "boss@acme.example"]))

    assert sorted(removed) == [False, True]


@pytest.mark.one_database
def test_nothing_of_the_token_is_kept(app: Flask, link: str) -> None:
    with app.app_context():
        kept = db.session.scalars(select(PasswordReset)).one()
        assert kept.token_digest not in link
        assert code_of(link) not in str(vars(kept))


@pytest.mark.parametrize("removes", [True, False])
def test_a_link_removes_second_factors_when_it_is_used_and_only_if_it_is_meant_to(
    app: Flask, http: FlaskClient, acme: Place, anna: int, removes: bool
) -> None:
    with app.app_context():
        set_up_app(anna, PASSWORD)
    boss = app.test_client()
    sign_in(app, boss, make_user(app, "chief@acme.example", acme, role="owner"))
    page = acme.url(f"users/{anna}")
    assert "Remove the second factor too" in boss.get(page).text
    asked = boss.post(f"{page}/reset", data={"remove_factors": "yes"} if removes else {})
    [link] = set(re.findall(r"/reset#[\w-]{43}", asked.text))

    shown = look(http, link).text
    assert ("It also removes your second factor" in shown) is removes
    assert list_of(app, anna) == ["app"], "not before it is used"

    choose(http, link, NEW)

    assert list_of(app, anna) == ([] if removes else ["app"])
    with app.app_context(), tenant_scope(acme.id):
        last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(2)).all()
    said = ["factor.reset", "password.reset"] if removes else ["password.reset"]
    assert [(row.action, row.actor_name) for row in last][: len(said)] == [
        (action, EMAIL) for action in said
    ]


def list_of(app: Flask, user_id: int) -> list[str]:
    with app.app_context():
        return list_kinds(user_id).get(user_id, [])
