"""People as such: signing in and out, passwords, second factors; and never a secret of theirs."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db
from portal.models import AuditEntry, InstallAuditEntry, Membership
from portal.models.audit.entry import AuditRow
from portal.scope import all_tenants
from portal.services.accounts import setup, users
from portal.services.accounts.invitations import invite
from portal.services.accounts.password_changes import issue_reset
from portal.services.accounts.second_factors.changes import find_new_app
from portal.services.accounts.second_factors.totp import STEP_SECONDS
from portal.services.audit.verification import verify
from tests.support.second_factors import Phone, steps_later
from tests.web.conftest import acme
from tests.web.world import Place, make_place

__all__ = ["acme"]

pytestmark = pytest.mark.mainly("sqlite")

EMAIL, PASSWORD, NEW = "anna@acme.example", "correct horse battery", "another horse battery"
WRONG = "a wrong password of anna's"


@pytest.fixture
def anna(app: Flask, acme: Place) -> int:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        return users.add_user(EMAIL, PASSWORD, acme.slug, "owner").id


def rows(app: Flask, model: type[AuditRow] = AuditEntry) -> list[AuditRow]:
    with app.app_context(), all_tenants():
        return list(db.session.scalars(select(model).order_by(model.id)))


def seen(found: list[AuditRow]) -> list[tuple[str, str, str]]:
    return [(row.action, str(row.actor_kind), row.target_name) for row in found]


Facts = dict[str, object] | None


def told(found: list[AuditRow]) -> list[tuple[str, Facts, Facts]]:
    """Of those that tell what was before or after, both."""
    return [
        (row.action, row.before, row.after)
        for row in found
        if row.before is not None or row.after is not None
    ]


def sign_in(http: FlaskClient, password: str, email: str = EMAIL) -> int:
    return http.post("/sign-in", data={"email": email, "password": password}).status_code


def test_signing_in_and_out(app: Flask, http: FlaskClient, anna: int) -> None:
    before = len(rows(app))
    assert sign_in(http, WRONG) == 401
    assert sign_in(http, PASSWORD) == 302
    assert http.post("/sign-out").status_code == 302

    found = rows(app)[before:]
    assert seen(found) == [
        ("sign_in.failed", "anonymous", EMAIL),
        ("sign_in.succeeded", "user", EMAIL),
        ("sign_in.ended", "user", EMAIL),
    ]
    assert {row.address for row in found} == {"127.0.0.1"}
    assert {row.source for row in found} == {"POST /sign-in", "POST /sign-out"}
    assert [row.actor_id for row in found] == [None, anna, anna]
    assert told(found) == []


def test_nobodys_failures_go_to_the_install(app: Flask, http: FlaskClient, anna: int) -> None:
    before = len(rows(app, InstallAuditEntry)), len(rows(app))
    sign_in(http, WRONG, "nobody@acme.example")
    sign_in(http, WRONG, "typed my Password here")

    found = rows(app, InstallAuditEntry)[before[0] :]
    assert seen(found) == [
        ("sign_in.failed", "anonymous", "nobody@acme.example"),
        ("sign_in.failed", "anonymous", "(no email address)"),
    ]
    assert len(rows(app)) == before[1]
    with app.app_context():
        assert verify(None).ok


def test_a_sign_in_is_told_to_each_tenant_that_is_open(
    app: Flask, http: FlaskClient, anna: int, acme: Place
) -> None:
    others = [make_place(app, slug) for slug in ("other", "closed")]
    with app.app_context():
        for place in others:
            users.add_user("boss@example.com", PASSWORD, place.slug, "owner")
            users.add_user(EMAIL, PASSWORD, place.slug, "viewer")
        users.disable_user(EMAIL, "closed")
    before = len(rows(app))
    sign_in(http, PASSWORD)

    with app.app_context(), all_tenants():
        new = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id).offset(before)).all()
        assert [row.tenant_id for row in new] == [acme.id, others[0].id]
        assert db.session.scalar(select(Membership.id).limit(1)) is not None


def test_passwords_and_factors(app: Flask, http: FlaskClient, anna: int) -> None:
    with steps_later(-3) as clock:
        sign_in(http, PASSWORD)
        before, secrets = len(rows(app)), [PASSWORD, NEW, WRONG]
        old = {"old_password": WRONG, "new_password": NEW}
        assert http.post("/account", data=old).status_code == 422
        assert http.post("/account", data={**old, "old_password": PASSWORD}).status_code == 302
        http.post("/account/second-factor/app", data={"password": WRONG})
        http.post("/account/second-factor/app", data={"password": NEW})
        with app.app_context():
            shared = find_new_app(anna)
        assert shared is not None
        phone = Phone(shared.secret)
        secrets.append(shared.secret)
        http.post("/account/second-factor/app/confirm", data={"code": phone.code()})
        clock.shift(STEP_SECONDS)
        codes = http.post("/account/second-factor/recovery-codes", data={"code": phone.code()}).text
        clock.shift(STEP_SECONDS)
        http.post("/sign-out")
        sign_in(http, NEW)
        assert http.post("/sign-in/second-step/", data={"code": "000000"}).status_code != 302
        assert http.post("/sign-in/second-step/", data={"code": phone.code()}).status_code == 302
    with app.app_context():
        link_made = issue_reset(EMAIL)
        secrets.append(link_made.link.rpartition("#")[2])
    http.post("/reset/password", data={"code": secrets[-1], "password": PASSWORD})

    found = rows(app)[before:]
    assert [row.action for row in found] == [
        *("password.refused", "password.changed", "password.refused", "factor.app_begun"),
        *("factor.app_added", "factor.codes_renewed", "sign_in.ended", "password.refused"),
        *("sign_in.succeeded", "password.link_issued", "password.reset"),
    ]
    link = {"expires_at": link_made.expires_at.isoformat(), "removes_factors": False}
    assert told(found) == [
        ("factor.app_added", None, {"is_first_factor": True}),
        ("password.link_issued", None, link | {"by_mail": None}),
    ]
    text = json.dumps([[str(value) for value in vars(row).values()] for row in found])
    assert "code" in codes
    assert [secret for secret in secrets if secret in text] == []


def test_an_invitation_is_accepted_and_a_tenant_left(
    app: Flask, http: FlaskClient, anna: int, acme: Place
) -> None:
    other = make_place(app, "other")
    with app.app_context():
        users.add_user("boss@example.com", PASSWORD, "other", "owner")
        links = [invite(email, "other", "viewer").link for email in (EMAIL, "new@acme.example")]
    mine, new = (link.rpartition("#")[2] for link in links)
    before = len(rows(app))
    http.post("/invitation/accept", data={"code": new, "password": NEW})
    http.post("/sign-out")
    sign_in(http, PASSWORD)
    http.post("/invitation/accept", data={"code": mine})
    http.post("/account/tenants/other/leave")
    http.post("/account/second-factor/offer")

    found = [row for row in rows(app)[before:] if not row.action.startswith("sign_in.")]
    assert seen(found) == [
        ("user.invitation_accepted", "user", "new@acme.example"),
        ("user.invitation_accepted", "user", EMAIL),
        ("user.removed", "user", EMAIL),
        ("factor.offer_skipped", "user", EMAIL),
    ]
    assert [row.tenant_id for row in found] == [other.id, other.id, other.id, acme.id]  # type: ignore[attr-defined]
    assert told(found) == [
        ("user.invitation_accepted", None, {"role": "viewer"}),
        ("user.invitation_accepted", None, {"role": "viewer"}),
        ("user.removed", {"role": "viewer"}, None),
    ]


def test_setting_up(app: Flask, http: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        token = setup.issue_token()
    assert token is not None
    form = {"email": EMAIL, "password": PASSWORD, "tenant_name": "Acme IT", "slug": "acme"}
    http.post("/setup", data={**form, "token": "wrong"})
    http.post("/setup", data={**form, "token": token})

    assert seen(rows(app, InstallAuditEntry)) == [
        ("install.set_up_refused", "anonymous", ""),
        ("install.set_up", "anonymous", EMAIL),
    ]
    assert seen(rows(app)) == [
        ("install.set_up", "anonymous", EMAIL),
        ("sign_in.succeeded", "user", EMAIL),
    ]
    made = ("install.set_up", None, {"tenant": "Acme IT", "role": "owner"})
    assert told(rows(app, InstallAuditEntry)) == told(rows(app)) == [made]
