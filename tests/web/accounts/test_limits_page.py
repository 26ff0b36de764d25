"""Owners limit people to some clients, on their page and in the invitation."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.models import Client
from portal.scope import tenant_scope
from portal.services.accounts.limits import read_limit
from portal.services.accounts.users import get_member
from portal.services.clients import delete_client
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.one_database

SOME = {"sees": "some"}


def add_clients(app: Flask, acme: Place, *names: str) -> list[int]:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        clients = [Client(name=name) for name in names]
        session.add_all(clients)
        session.flush()
        return [client.id for client in clients]


def limit_of(app: Flask, acme: Place, user_id: int) -> frozenset[int] | None:
    with app.app_context(), tenant_scope(acme.id):
        return read_limit(get_member(user_id))


def test_an_owner_limits_a_user_and_lifts_it(app: Flask, owner: FlaskClient, acme: Place) -> None:
    second, _third = add_clients(app, acme, "Second", "Third")
    page = acme.url(f"users/{acme.member}")

    sent = {**SOME, "client": [acme.client, second]}
    answer = owner.post(f"{page}/clients", data=sent, follow_redirects=True)
    assert "now sees 2 clients" in answer.text
    assert f'value="{second}" checked' in answer.text
    assert limit_of(app, acme, acme.member) == frozenset({acme.client, second})
    assert "Acme Client, Second" in owner.get(acme.url("users/")).text

    owner.post(f"{page}/clients", data={"sees": "all", "client": second})
    assert limit_of(app, acme, acme.member) is None


def test_what_cannot_be_says_why_and_keeps_what_was_ticked(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    [second] = add_clients(app, acme, "Second")
    page = acme.url(f"users/{acme.member}/clients")

    nothing = owner.post(page, data=SOME)
    assert (nothing.status_code, "Choose at least one client" in nothing.text) == (422, True)
    for wrong in ("999", "x", "-1", str(2**70)):
        refused = owner.post(page, data={**SOME, "client": [second, wrong]})
        assert refused.status_code == 422
        assert "does not exist any more" in refused.text
        assert f'value="{second}" checked' in refused.text
    assert limit_of(app, acme, acme.member) is None


def test_who_sees_all_is_not_offered_a_limit(app: Flask, owner: FlaskClient, acme: Place) -> None:
    admin = make_user(app, "admin@acme.example", acme)
    assert "An admin sees all clients" in owner.get(acme.url(f"users/{admin}")).text
    sent = {**SOME, "client": acme.client}
    refused = owner.post(acme.url(f"users/{admin}/clients"), data=sent)
    assert (refused.status_code, limit_of(app, acme, admin)) == (422, None)

    owner.post(acme.url(f"users/{acme.member}/clients"), data=sent)
    refused = owner.post(acme.url(f"users/{acme.member}/role"), data={"role": "admin"})
    assert refused.status_code == 422
    assert "Let the user see all clients first" in refused.text


def test_an_invitation_may_be_limited_and_renewed(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    [second] = add_clients(app, acme, "Second")
    sent = {"email": "new@acme.example", "role": "viewer", **SOME}
    refused = owner.post(acme.url("users/invite"), data=sent)
    assert (refused.status_code, "new@acme.example" in refused.text) == (422, True)
    made = owner.post(acme.url("users/invite"), data={**sent, "client": second})
    assert made.status_code == 200
    assert 'data-label="Clients">Second' in " ".join(made.text.split()).replace("> ", ">")
    renew = acme.url(f"users/invitations/{acme.invitation + 1}/renew")
    assert owner.post(renew).status_code == 200

    with app.app_context(), tenant_scope(acme.id):
        delete_client(second)
    gone = owner.post(renew, follow_redirects=True)
    assert "The clients of this invitation were deleted" in gone.text


def test_500_clients_can_be_ticked_without_scripts(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    ids = add_clients(app, acme, *(f"Client {number}" for number in range(500)))
    page = acme.url(f"users/{acme.member}")
    assert owner.get(page).text.count('name="client"') == 501
    assert owner.post(f"{page}/clients", data={**SOME, "client": ids}).status_code == 302
    assert limit_of(app, acme, acme.member) == frozenset(ids)


def test_a_limit_holds_from_the_next_request_on(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    [second] = add_clients(app, acme, "Second")
    browser = app.test_client()
    sign_in(app, browser, acme.member)
    assert "acme-pc" in browser.get(acme.url("assets/")).text

    owner.post(acme.url(f"users/{acme.member}/clients"), data={**SOME, "client": second})
    assert browser.get(acme.url("assets/")).location.startswith("/sign-in")
    sign_in(app, browser, acme.member)
    assert "acme-pc" not in browser.get(acme.url("assets/")).text
