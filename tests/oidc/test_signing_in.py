"""Signing in with a tenant's identity provider: who comes in, in which role, and how far."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.scope import tenant_scope
from portal.services.accounts import users
from portal.services.accounts.invitations import invite
from portal.services.oidc import settings
from tests.oidc.conftest import (
    come_back,
    go_there,
    last_reason,
    last_row,
    last_rows,
    leave_to_join,
    link_to,
    save,
    sign_in,
)
from tests.support.identity_provider import OTHER_KEY, IdentityProvider
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_place, make_user

pytestmark = pytest.mark.mainly("postgresql")

START = "/t/acme/sign-in/start"


def test_whoever_is_linked_signs_in_and_opens_that_tenant_alone(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider
) -> None:
    other = make_place(app, "other")
    anna = make_user(app, "anna@acme.example", company, other, role="owner")
    link_to(app, company, anna, idp, "anna-1")

    answer = sign_in(http, idp)

    assert (answer.status_code, answer.location) == (302, "/t/acme/")
    assert http.get("/t/acme/").status_code == 200
    assert http.get("/t/other/").status_code == 404
    assert "Other IT" not in http.get("/tenants").text
    for path in ("/account", "/account/second-factor/", "/account/passkeys/new"):
        assert http.get(path).status_code == 403
    for path in ("/account/tenants/other/leave", "/account/browsers/end-others"):
        assert http.post(path).status_code == 403
    row = last_row(app, company)
    assert (row.action, row.actor_id, row.after) == (
        "sign_in.succeeded",
        anna,
        {"by": "identity provider"},
    )
    assert last_row(app, other).action != "sign_in.succeeded"


def test_an_equal_address_links_nobody(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider
) -> None:
    make_user(app, "bob@acme.example", company, role="owner")
    idp.person = {"sub": "bob-9", "email": "bob@acme.example", "email_verified": True}

    answer = sign_in(http, idp)

    assert answer.location == "/t/acme/sign-in"
    assert "you have no access here" in http.get("/t/acme/sign-in").text
    assert http.get("/t/acme/").status_code == 302
    assert last_reason(app, company) == ("No access: nobody here is linked to the subject bob-9.")


@pytest.mark.one_database
def test_a_session_of_a_provider_does_not_outlive_the_place(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider
) -> None:
    other = make_place(app, "other")
    make_user(app, "boss@acme.example", company, role="owner")
    bob = make_user(app, "bob@acme.example", company, other, role="viewer")
    link_to(app, company, bob, idp, "bob-9")
    idp.person = {"sub": "bob-9"}
    assert sign_in(http, idp).location == "/t/acme/"

    with app.app_context():
        assert not users.remove_user("bob@acme.example", "acme")
        users.add_user("bob@acme.example", "", "acme", "owner")

    assert http.get("/t/acme/").location.startswith("/sign-in")


@pytest.mark.one_database
def test_a_code_comes_back_once_and_in_the_same_browser(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    back = go_there(http, START, idp)
    stranger = app.test_client()
    for browser in (stranger, stranger):
        assert browser.get(back).location == "/t/acme/sign-in"
        assert "in the same browser" in last_reason(app, company)
        browser.get(START)  # with a sign-in of its own, it has not that of the other
    asked = len(idp.asked)
    assert http.get(back).location == "/t/acme/"
    assert len(idp.asked) == asked + 1
    assert http.get(back).location == "/t/acme/sign-in"
    assert "in the same browser" in last_reason(app, company)
    assert len(idp.asked) == asked + 1


@pytest.mark.one_database
def test_an_answer_of_another_provider_or_an_error_asks_nobody(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    asked = len(idp.asked)
    for added, reason in (
        ("&iss=https://evil.example", "The answer came from another provider"),
        ("&error=access_denied", "The provider answered: access_denied."),
    ):
        http.get(go_there(http, START, idp) + added)
        assert reason in last_reason(app, company)
    assert len(idp.asked) == asked


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("came_from", "where"),
    [
        ("cross-site", "/t/acme/sign-in?next=/t/acme/assets/"),
        ("same-site", "/t/acme/sign-in?next=/t/acme/assets/"),
        ("same-origin", "/authorize?"),
        ("none", "/authorize?"),
    ],
)
def test_no_other_site_signs_anybody_in(
    http: FlaskClient, company: Place, came_from: str, where: str
) -> None:
    """By a link or a picture, while the provider remembers them: it leads to our page only."""
    answer = http.get(f"{START}?next=/t/acme/assets/", headers={"Sec-Fetch-Site": came_from})

    assert (answer.status_code, where in answer.location) == (302, True)


@pytest.mark.one_database
def test_a_wrong_verifier_is_refused_by_the_provider(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    """That it checks PKCE; so the sign-ins of the other tests prove that ours is right."""
    back = go_there(http, START, idp)
    for begun in idp.codes.values():
        begun["code_challenge"] = "A" * 43

    assert http.get(back).location == "/t/acme/sign-in"
    assert "400 invalid_grant" in last_reason(app, company)


def test_a_new_key_of_the_provider_is_fetched_once(
    http: FlaskClient, anna: int, idp: IdentityProvider
) -> None:
    idp.keys = [OTHER_KEY]
    idp.asked.clear()

    assert sign_in(http, idp).location == "/t/acme/"
    assert idp.asked == ["/token", "/keys"]
    assert sign_in(app_client(http), idp).location == "/t/acme/"
    assert idp.asked == ["/token", "/keys", "/token"]


def app_client(http: FlaskClient) -> FlaskClient:
    return http.application.test_client()


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["staff", "admins"], "admin"), ("staff", "viewer"), (["guests"], "technician")],
)
def test_roles_follow_the_groups_at_each_sign_in(
    app: Flask,
    http: FlaskClient,
    company: Place,
    idp: IdentityProvider,
    groups: object,
    role: str,
) -> None:
    bob = make_user(app, "bob@acme.example", company, role="owner")
    make_user(app, "boss@acme.example", company, role="owner")
    link_to(app, company, bob, idp, "bob-9")
    with app.app_context(), tenant_scope(company.id):
        roles = {"staff": "viewer", "admins": "admin"}
        save(idp, groups_claim="groups", group_roles=roles, default_role="technician")
    idp.person = {"sub": "bob-9", "groups": groups}

    assert sign_in(http, idp).location == "/t/acme/"
    assert role_of(app, company, bob) == role
    assert http.get("/t/acme/").status_code == 200
    changed, signed_in = last_rows(app, company, 2)
    by = {"role": role, "by": "groups of the identity provider"}
    assert (changed.action, changed.before, changed.after) == (
        "user.role_changed",
        {"role": "owner"},
        by,
    )
    assert (changed.target_id, signed_in.action) == (str(bob), "sign_in.succeeded")


def role_of(app: Flask, place: Place, user_id: int) -> str:
    with app.app_context(), tenant_scope(place.id):
        return users.get_member(user_id).role


@pytest.mark.one_database
def test_who_is_in_no_group_does_not_get_in_and_the_last_owner_stays_one(
    app: Flask, http: FlaskClient, anna: int, company: Place, idp: IdentityProvider
) -> None:
    with app.app_context(), tenant_scope(company.id):
        save(idp, groups_claim="groups", group_roles={"staff": "viewer"})
    for person, reason in (
        ({}, "they are in no group that has a role"),
        ({"groups": ["Staff"]}, "they are in no group that has a role"),
        ({"_claim_names": {"groups": "src1"}}, "the provider left their groups out"),
    ):
        idp.person = {"sub": "anna-1", **person}
        assert sign_in(http, idp).location == "/t/acme/sign-in"
        assert reason in last_reason(app, company)

    idp.person = {"sub": "anna-1", "groups": ["staff"]}
    assert sign_in(http, idp).location == "/t/acme/"
    assert role_of(app, company, anna) == "owner"
    assert "against the groups" in str(last_row(app, company).after)


@pytest.mark.one_database
def test_disabled_removed_unlinked_and_switched_off_end_it(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider
) -> None:
    make_user(app, "boss@acme.example", company, role="owner")
    bob = make_user(app, "bob@acme.example", company, role="viewer")
    link_to(app, company, bob, idp, "bob-9")
    idp.person = {"sub": "bob-9"}

    assert sign_in(http, idp).location == "/t/acme/"
    with app.app_context():
        users.disable_user("bob@acme.example", "acme")
    assert http.get("/t/acme/").status_code == 302
    assert sign_in(http, idp).location == "/t/acme/sign-in"
    assert last_reason(app, company) == "No access: bob@acme.example is disabled."

    with app.app_context():
        users.enable_user("bob@acme.example", "acme")
    back = go_there(http, START, idp)
    assert http.get(back).location == "/t/acme/"
    late = go_there(app_client(http), START, idp)
    with app.app_context(), tenant_scope(company.id):
        settings.switch_off()
    assert http.get("/t/acme/").status_code == 302
    assert app_client(http).get(late).location == "/t/acme/sign-in"
    assert http.get(START).location == "/t/acme/sign-in"


@pytest.mark.one_database
def test_no_answer_tells_which_tenants_there_are(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    """Acme has no provider, and `nobody` is no tenant."""
    app.config["WTF_CSRF_ENABLED"] = False
    seen = []
    for slug in ("acme", "nobody"):
        page = http.get(f"/t/{slug}/sign-in").text
        start = http.get(f"/t/{slug}/sign-in/start").location
        back = http.get(f"/t/{slug}/sign-in/callback?code=a&state=b").location
        said = http.get("/sign-in/company").text
        texts = [each.replace(slug, "S") for each in (page, start, back, said)]
        seen.append([re.sub(r'(name="csrf-token" content=)"[^"]+"', r"\1", each) for each in texts])
    assert "no sign-in with a company under this short name" in seen[0][-1]
    assert seen[0] == seen[1]


def test_somebody_new_joins_with_an_invitation_and_no_password(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider
) -> None:
    with app.app_context():
        link = invite("new@acme.example", "acme", "technician").link
    invitation = {"code": link}
    idp.person = {"sub": "new-3"}
    assert "Join with your company" in http.post("/invitation", data=invitation).text
    back = come_back(leave_to_join(http, link), idp)

    assert http.get(back).location == "/t/acme/"
    assert http.get("/t/acme/").status_code == 200
    joined = [(row.action, row.target_name) for row in last_rows(app, company, 2)]
    assert joined == [
        ("user.invitation_accepted", "new@acme.example"),
        ("sign_in.succeeded", "new@acme.example"),
    ]
    again = app_client(http)
    assert sign_in(again, idp).location == "/t/acme/"
    assert http.post("/invitation", data=invitation).status_code == 404


@pytest.mark.one_database
def test_an_invitation_does_not_link_somebody_who_has_an_account(
    app: Flask, http: FlaskClient, company: Place, idp: IdentityProvider
) -> None:
    """Whoever invites sees the link, and could come in as the other."""
    other = make_place(app, "other")
    make_user(app, "bob@other.example", other)
    with app.app_context():
        link = invite("bob@other.example", "acme", "viewer").link
    back = come_back(leave_to_join(http, link), idp)

    assert http.get(back).location == "/t/acme/sign-in"
    assert "has an account here" in last_reason(app, company)
    assert http.post("/invitation", data={"code": link}).status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize(("group", "role"), [("staff", "viewer"), ("admins", "technician")])
def test_groups_lift_no_limit_to_clients(
    app: Flask,
    http: FlaskClient,
    company: Place,
    idp: IdentityProvider,
    group: str,
    role: str,
) -> None:
    """A role that sees all clients is not given to who is limited to some."""
    carla = limited_user(app, company, company.client)
    link_to(app, company, carla, idp, "carla-3")
    with app.app_context(), tenant_scope(company.id):
        save(idp, groups_claim="groups", group_roles={"staff": "viewer", "admins": "admin"})
    idp.person = {"sub": "carla-3", "groups": [group]}

    assert sign_in(http, idp).location == "/t/acme/"

    assert role_of(app, company, carla) == role
    kept = (last_row(app, company).after or {}).get("role")
    why = "technician, against the groups: they are limited to some clients, and an admin sees all"
    assert kept == (None if group == "staff" else why)
    assert http.get("/t/acme/users/").status_code == 403
