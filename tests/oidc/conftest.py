"""Acme with an identity provider, in which anna, an owner, is linked."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.db import db, transaction
from portal.models import AuditEntry, Membership
from portal.scope import tenant_scope
from portal.services.oidc import people, settings, testing
from portal.services.oidc.entered import ProviderSettings
from portal.services.oidc.people import add_link
from tests.support.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    run_provider,
)
from tests.web.conftest import acme, code_of
from tests.web.world import Place, make_user

__all__ = ["acme"]

CALLBACK = "http://localhost/t/acme/sign-in/callback"


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with run_provider() as provider:
        yield provider


@pytest.fixture
def company(app: Flask, acme: Place, idp: IdentityProvider) -> Place:
    """Acme, whose provider was saved and tested."""
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context(), tenant_scope(acme.id):
        save(idp)
        assert testing.test_provider(CALLBACK) is None
        db.session.remove()
    return acme


@pytest.fixture
def anna(app: Flask, company: Place, idp: IdentityProvider) -> int:
    user_id = make_user(app, "anna@acme.example", company, role="owner")
    link_to(app, company, user_id, idp, "anna-1")
    return user_id


def save(idp: IdentityProvider, **given: object) -> None:
    """In the tenant's scope."""
    wanted = {"issuer": idp.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    settings.save_provider(ProviderSettings(**{**wanted, **given}))  # type: ignore[arg-type]


def link_to(app: Flask, place: Place, user_id: int, idp: IdentityProvider, subject: str) -> None:
    with app.app_context(), tenant_scope(place.id):
        with transaction() as session:
            found = session.scalars(select(Membership).filter_by(user_id=user_id)).one()
            add_link(session, found, idp.issuer, subject)
        assert any(each.since for each in people.list_people(idp.issuer))
        db.session.remove()


def go_there(http: FlaskClient, where: str, idp: IdentityProvider) -> str:
    """From the portal to the provider and back: the path with what the provider added."""
    answer = http.get(where)
    assert answer.status_code == 302, answer.text
    return come_back(answer.location, idp)


def come_back(address: str, idp: IdentityProvider) -> str:
    assert address.startswith(f"{idp.issuer}/authorize?"), address
    query = {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}
    back = urlsplit(idp.authorize(query))
    return f"{back.path}?{back.query}"


def sign_in(http: FlaskClient, idp: IdentityProvider, where: str = "") -> TestResponse:
    return http.get(go_there(http, where or "/t/acme/sign-in/start", idp))


def last_row(app: Flask, place: Place) -> AuditEntry:
    return last_rows(app, place, 1)[0]


def last_rows(app: Flask, place: Place, number: int) -> list[AuditEntry]:
    """The newest of the tenant's audit trail, in their order."""
    with app.app_context(), tenant_scope(place.id):
        newest = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(number)
        found = list(reversed(db.session.scalars(newest).all()))
        db.session.expunge_all()
        db.session.remove()
        return found


def last_reason(app: Flask, place: Place) -> str:
    row = last_row(app, place)
    assert row.action == "sign_in.failed"
    return str((row.after or {})["reason"])


def leave(http: FlaskClient, path: str, **typed: str) -> str:
    """The address on the page that a form answers with."""
    return read_link(http.post(path, data=typed).text)


def leave_to_join(http: FlaskClient, link: str) -> str:
    """The same, for somebody who has this link of an invitation."""
    return leave(http, "/invitation/company", code=code_of(link))


def read_link(page: str) -> str:
    """The provider's address, on the page that leads there."""
    found = re.search(r'href="([^"]+/authorize\?[^"]+)"', page)
    assert found, page
    return html.unescape(found[1])
