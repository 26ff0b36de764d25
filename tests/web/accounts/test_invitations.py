"""Invitations: a link gives a place to the person whom it is for, once."""

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
from portal.models import Invitation
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts import users
from portal.services.accounts.invitations import invite
from tests.web.conftest import code_of
from tests.web.world import Place, make_place, make_user, sign_in

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"
NOT_VALID = "This invitation is not valid."


@pytest.fixture
def link(app: Flask, acme: Place) -> str:
    app.config["WTF_CSRF_ENABLED"] = False
    make_user(app, "boss@acme.example", acme, role="owner")
    return new_link(app)


def new_link(app: Flask, email: str = EMAIL, role: str = "technician", tenant: str = "acme") -> str:
    with app.app_context():
        return invite(email, tenant, role).link


def look(http: FlaskClient, link: str) -> TestResponse:
    return http.post("/invitation", data={"code": link})


def accept(http: FlaskClient, link: str, password: str = "") -> TestResponse:
    return http.post("/invitation/accept", data={"code": code_of(link), "password": password})


def roles_of(app: Flask, place: Place) -> dict[str, str]:
    with app.app_context(), tenant_scope(place.id):
        return {member.user.email: member.role for member in users.list_members()}


def test_a_new_person_chooses_a_password_and_is_in(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    for _ in range(2):  # looking uses nothing up
        assert f"{EMAIL} is invited to Acme IT as technician." in look(http, link).text
    short = accept(http, link, "short")
    assert (short.status_code, "at least 12 characters" in short.text) == (422, True)
    done = accept(http, link, PASSWORD)

    assert done.location == acme.url()
    assert http.get(acme.url()).status_code == 200
    assert roles_of(app, acme)[EMAIL] == "technician"
    again = accept(app.test_client(), link, "another horse battery")
    assert (again.status_code, NOT_VALID in again.text) == (404, True)
    assert "<h1>This invitation is not valid</h1>" in again.text
    data = {"email": EMAIL, "password": PASSWORD}
    assert app.test_client().post("/sign-in", data=data).status_code == 302


def test_who_has_an_account_signs_in_and_joins_with_it(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    other = make_place(app, "other")
    with app.app_context():
        users.add_user(EMAIL, PASSWORD, "other", "admin")
    page = look(http, link).text
    assert "Sign in with it to join." in page
    assert 'type="password"' not in page
    took_over = accept(http, link, "another horse battery")
    assert (took_over.status_code, "Sign in" in took_over.text) == (422, True)
    data = {"email": EMAIL, "password": PASSWORD}
    [way] = re.findall(r'href="/sign-in\?next=([^"]+)"', page)
    assert http.post("/sign-in", data=data | {"next": way}).location == way
    assert code_of(link) in http.get(way).text
    assert accept(http, link).location == acme.url()

    assert roles_of(app, acme)[EMAIL] == "technician"
    assert roles_of(app, other)[EMAIL] == "admin"


@pytest.mark.one_database
def test_somebody_else_is_not_let_in_and_uses_nothing_up(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    sign_in(app, http, make_user(app, "eve@other.example"))

    assert "You are signed in as eve@other.example." in look(http, link).text
    assert accept(http, link).status_code == 422
    assert "eve@other.example" not in roles_of(app, acme)
    assert look(app.test_client(), link).status_code == 200


@pytest.mark.one_database
def test_who_is_disabled_elsewhere_can_accept(app: Flask, http: FlaskClient, link: str) -> None:
    make_place(app, "other")
    with app.app_context():
        users.add_user(EMAIL, PASSWORD, "other", "viewer")
        users.disable_user(EMAIL, "other")
    data = {"email": EMAIL, "password": PASSWORD}

    assert http.post("/sign-in", data=data).status_code == 302
    assert accept(http, link).status_code == 302


def test_of_many_at_once_one_gets_the_place(app: Flask, acme: Place, link: str) -> None:
    def press(number: int) -> int:
        return accept(app.test_client(), link, f"{number} horses of a battery").status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(press, range(4)))

    assert statuses == [302, 404, 404, 404]
    assert roles_of(app, acme)[EMAIL] == "technician"


@pytest.mark.one_database
def test_links_that_do_not_hold_are_all_alike(app: Flask, http: FlaskClient, link: str) -> None:
    newer = new_link(app)
    with time_machine.travel(utc_now() + timedelta(days=7, seconds=1), tick=False):
        too_old = look(http, newer)
    replaced, made_up = look(http, link), look(http, "x" * 43)

    assert {answer.status_code for answer in (too_old, replaced, made_up)} == {404}
    texts = {re.sub(r'content="[^"]+"', "", page.text) for page in (too_old, replaced, made_up)}
    assert len(texts) == 1  # but for the CSRF token
    assert EMAIL not in made_up.text
    assert look(http, newer).status_code == 200


@pytest.mark.one_database
def test_guesses_are_counted(http: FlaskClient, link: str) -> None:
    statuses = [accept(http, str(n)).status_code for n in range(101)]

    assert statuses == [404] * 100 + [429]


@pytest.mark.one_database
@pytest.mark.parametrize("change", ["viewer", "disable", "remove"])
def test_who_may_invite_nobody_any_more_has_no_links_left(
    app: Flask, http: FlaskClient, acme: Place, link: str, change: str
) -> None:
    leaving = make_user(app, "leaving@acme.example", acme, role="owner")
    with app.app_context():
        own = invite("second@acme.example", "acme", "owner", leaving).link
        assert look(http, own).status_code == 200
        if change == "viewer":
            users.change_role("leaving@acme.example", "acme", "viewer")
        elif change == "disable":
            users.disable_user("leaving@acme.example", "acme")
        else:
            users.remove_user("leaving@acme.example", "acme")

    assert look(http, own).status_code == 404
    assert look(http, link).status_code == 200


def test_the_page_invites_renews_and_withdraws(app: Flask, owner: FlaskClient, acme: Place) -> None:
    page = acme.url("users/")
    made = owner.post(f"{page}invite", data={"email": f" {EMAIL.upper()}", "role": "viewer"}).text
    [link] = set(re.findall(r"/invitation#[\w-]{43}", made))
    listed = owner.get(page).text
    assert (EMAIL in listed, link in listed) == (True, False)
    with app.app_context(), all_tenants():
        kept = db.session.scalars(select(Invitation).filter_by(email=EMAIL)).one()
        assert code_of(link) not in str(vars(kept))
        number = str(kept.id)
    [newer] = set(
        re.findall(r"/invitation#[\w-]{43}", owner.post(f"{page}invitations/{number}/renew").text)
    )
    visitor = app.test_client()
    assert [look(visitor, each).status_code for each in (link, newer)] == [404, 200]
    with app.app_context(), all_tenants():
        number = str(db.session.scalars(select(Invitation.id).filter_by(email=EMAIL)).one())
    owner.post(f"{page}invitations/{number}/withdraw")
    assert look(visitor, newer).status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("email", "role", "problem"),
    [
        ("nobody", "viewer", "Enter an email address"),
        (EMAIL, "king", "Choose one of these roles"),
        (EMAIL, "", "Choose one of these roles"),
        ("member@acme.example", "viewer", "is a user of this tenant already"),
    ],
)
def test_what_cannot_be_invited_is_said_and_what_was_typed_stays(
    owner: FlaskClient, acme: Place, email: str, role: str, problem: str
) -> None:
    answer = owner.post(acme.url("users/invite"), data={"email": email, "role": role})

    assert (answer.status_code, problem in answer.text) == (422, True)
    assert f'value="{email}"' in answer.text
    assert "/invitation#" not in answer.text
