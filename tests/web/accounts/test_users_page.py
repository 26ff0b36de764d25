"""The users of a tenant on their pages: changed, shut out, removed; nobody by mistake himself."""

from __future__ import annotations

import re
import secrets

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Authenticator, Passkey, Tenant, User
from portal.models.accounts.tenant import FactorRule
from portal.scope import tenant_scope
from portal.services.accounts import users
from tests.web.conftest import code_of
from tests.web.world import Place, make_place, make_user, sign_in

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


@pytest.fixture
def anna(app: Flask, owner: FlaskClient, acme: Place) -> int:
    """A technician of acme alone, who has a password."""
    with app.app_context():
        return users.add_user(EMAIL, PASSWORD, acme.slug, "technician").id


def role_of(app: Flask, place: Place, user_id: int) -> tuple[str, bool]:
    with app.app_context(), tenant_scope(place.id):
        member = users.get_member(user_id)
        return member.role, member.disabled_at is None


def test_an_owner_changes_disables_enables_and_removes(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    page = acme.url(f"users/{anna}")
    assert EMAIL in owner.get(acme.url("users/")).text
    said = owner.post(f"{page}/role", data={"role": "admin"}, follow_redirects=True).text
    assert f"{EMAIL} is now admin." in said
    assert role_of(app, acme, anna) == ("admin", True)
    owner.post(f"{page}/disable")
    assert role_of(app, acme, anna) == ("admin", False)
    assert "Disabled" in owner.get(page).text
    owner.post(f"{page}/enable")
    assert role_of(app, acme, anna) == ("admin", True)
    assert owner.post(f"{page}/remove").location == acme.url("users/")
    assert owner.get(page).status_code == 404


@pytest.mark.one_database
def test_a_role_that_is_none_is_refused_and_the_form_comes_back(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    answer = owner.post(acme.url(f"users/{anna}/role"), data={"role": "king"})

    assert (answer.status_code, "Choose one of these roles" in answer.text) == (422, True)
    assert role_of(app, acme, anna) == ("technician", True)


@pytest.mark.one_database
def test_nobody_shuts_himself_out(app: Flask, http: FlaskClient, acme: Place) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    me = make_user(app, "me@acme.example", acme, role="owner")
    make_user(app, "other@acme.example", acme, role="owner")
    sign_in(app, http, me)

    for word in ("role", "disable", "enable", "remove", "reset", "sign-out"):
        answer = http.post(acme.url(f"users/{me}/{word}"), data={"role": "viewer"})
        assert (answer.status_code, "This is your own place." in answer.text) == (409, True), word
    assert role_of(app, acme, me) == ("owner", True)
    assert "Another owner can change your role." in http.get(acme.url(f"users/{me}")).text


@pytest.mark.one_database
def test_the_list_says_who_has_which_second_factor(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    def shown() -> list[str]:
        head, _, body = owner.get(acme.url("users/")).text.partition("</thead>")
        column = re.findall(r'<th scope="col">(.*?)</th>', head).index("Second factor")
        rows = re.findall("<tr>(.*?)</tr>", body.partition("</table>")[0], re.DOTALL)
        cells = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)[column] for row in rows]
        return [re.sub("<[^>]+>", "", cell) for cell in cells]

    assert shown() == ["None"] * 3
    with app.app_context(), transaction() as session:
        for _ in range(2):
            session.add(
                Passkey(
                    user_id=anna,
                    credential_id=secrets.token_hex(4),
                    public_key=b"",
                    sign_count=0,
                    name="Laptop",
                )
            )
    assert shown() == ["Passkey", "None", "None"]
    with app.app_context(), transaction() as session:
        session.add(Authenticator(user_id=acme.member, envelope=""))
        session.add(Authenticator(user_id=anna, envelope="", confirmed_at=utc_now()))
    assert shown() == ["App and passkey", "None", "None"], "an app counts when it is confirmed"
    assert "App and passkey" in owner.get(acme.url(f"users/{anna}")).text


def test_an_owner_signs_somebody_out_everywhere(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    browser = app.test_client()
    sign_in(app, browser, anna)
    assert browser.get(acme.url()).status_code == 200
    owner.post(acme.url(f"users/{anna}/sign-out"))

    assert browser.get(acme.url()).location.startswith("/sign-in")


def test_a_link_to_a_new_password_is_shown_once(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    page = owner.post(acme.url(f"users/{anna}/reset")).text
    [link] = set(re.findall(r"/reset#[\w-]{43}", page))

    assert link not in owner.get(acme.url(f"users/{anna}")).text
    new = {"code": code_of(link), "password": "another horse battery"}
    assert app.test_client().post("/reset/password", data=new).location == "/sign-in"


def test_no_owner_gets_into_other_tenants_by_a_new_password(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    [link] = set(re.findall(r"/reset#[\w-]{43}", owner.post(acme.url(f"users/{anna}/reset")).text))
    make_place(app, "other")
    with app.app_context():
        users.add_user(EMAIL, PASSWORD, "other", "viewer")

    looked = owner.post("/reset", data={"code": link})
    assert looked.status_code == 404, "made while she was in one tenant alone"
    refused = owner.post(acme.url(f"users/{anna}/reset"))
    assert (refused.status_code, "/reset#" in refused.text) == (409, False)
    with app.app_context():
        users.disable_user(EMAIL, "other")
    assert owner.post(acme.url(f"users/{anna}/reset")).status_code == 409


def test_who_is_in_several_tenants_leaves_one_and_keeps_the_others(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    other = make_place(app, "other")
    make_user(app, "boss@acme.example", acme, role="owner")
    sign_in(app, http, make_user(app, EMAIL, acme, other, role="owner"))

    left = http.post("/account/tenants/acme/leave", follow_redirects=True).text
    assert "You left the tenant." in left
    assert http.get(acme.url()).status_code == 404
    assert http.get(other.url()).status_code == 200
    refused = http.post("/account/tenants/other/leave", follow_redirects=True).text
    assert "This is your only tenant" in refused
    assert http.get(other.url()).status_code == 200


@pytest.mark.one_database
def test_the_last_owner_leaves_no_tenant(app: Flask, http: FlaskClient, acme: Place) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    other = make_place(app, "other")
    sign_in(app, http, make_user(app, EMAIL, acme, other, role="owner"))

    said = http.post("/account/tenants/acme/leave", follow_redirects=True).text
    assert "needs at least one owner" in said
    assert http.get(acme.url()).status_code == 200


def test_the_list_says_what_is_out_of_the_ordinary_alone(
    app: Flask, owner: FlaskClient, acme: Place, anna: int
) -> None:
    def shown() -> list[str]:
        page = owner.get(acme.url("users/")).text
        return re.findall(r'state-(?:warn|bad|good)">.*?</svg>([^<]+)', page, re.DOTALL)

    assert shown() == []
    owner.post(acme.url(f"users/{anna}/disable"))
    assert shown() == ["Disabled"]
    owner.post(acme.url(f"users/{anna}/enable"))
    with app.app_context(), transaction() as session:
        session.get_one(Tenant, acme.id).factor_rule = FactorRule.ALL
        for user in session.scalars(select(User).where(User.id != anna)):
            session.add(Authenticator(user_id=user.id, envelope="", confirmed_at=utc_now()))
    assert shown() == ["Must be set up"]
