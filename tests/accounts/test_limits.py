"""Places that are limited to some clients: given, changed, handed on, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from portal.db import db
from portal.errors import InvalidInput, Refused
from portal.models import Membership, UserSession
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts import invitations, limits, users
from portal.services.accounts.throttle import Caller
from portal.services.clients import add_client, delete_client
from tests.web.conftest import acme
from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.mainly("postgresql")

__all__ = ["acme"]

EMAIL, PASSWORD = "bert@acme.example", "correct horse battery"


@pytest.fixture
def bert(app: Flask, acme: Place) -> Iterator[int]:
    """A technician of acme; the test runs in an application context."""
    user_id = make_user(app, EMAIL, acme, role="technician")
    with app.app_context():
        yield user_id


def place_of(user_id: int) -> Membership:
    with all_tenants():
        found = select(Membership).where(Membership.user_id == user_id)
        return db.session.scalars(found.execution_options(populate_existing=True)).one()


def add(acme: Place, name: str) -> int:
    with tenant_scope(acme.id):
        return add_client(name).id


def test_a_limit_is_set_and_lifted_and_ends_the_sessions(
    app: Flask, acme: Place, bert: int
) -> None:
    for wanted in ([acme.client, add(acme, "Second")], [acme.client], None):
        sign_in(app, app.test_client(), bert)
        limits.limit_user(EMAIL, acme.slug, wanted)
        assert limits.read_limit(place_of(bert)) == (None if wanted is None else frozenset(wanted))
        assert (
            db.session.scalars(select(UserSession).where(UserSession.user_id == bert)).all() == []
        )


def test_what_is_as_before_signs_nobody_out(app: Flask, acme: Place, bert: int) -> None:
    limits.limit_user(EMAIL, acme.slug, [acme.client])
    sign_in(app, app.test_client(), bert)
    limits.limit_user(EMAIL, acme.slug, [acme.client])
    assert db.session.scalars(select(UserSession).where(UserSession.user_id == bert)).one()


def test_a_deleted_client_leaves_the_limit_and_the_last_one_leaves_nothing(
    acme: Place, bert: int
) -> None:
    first, second = add(acme, "First"), add(acme, "Second")
    limits.limit_user(EMAIL, acme.slug, [first, second])
    for client, left in ((second, frozenset({first})), (first, frozenset[int]())):
        with tenant_scope(acme.id):
            delete_client(client)
        assert limits.read_limit(place_of(bert)) == left
    assert add(acme, "Third")  # its number may be that of one that is gone
    assert limits.read_limit(place_of(bert)) == frozenset()


@pytest.mark.one_database
def test_nothing_and_clients_of_others_are_no_limit(app: Flask, acme: Place, bert: int) -> None:
    other = make_place(app, "other")
    for wanted in ([], [other.client], [acme.client, 99]):
        with pytest.raises(InvalidInput):
            limits.limit_user(EMAIL, acme.slug, wanted)
    assert limits.read_limit(place_of(bert)) is None


@pytest.mark.one_database
@pytest.mark.parametrize("role", ["owner", "admin"])
def test_who_answers_for_all_is_not_limited(acme: Place, bert: int, role: str) -> None:
    limits.limit_user(EMAIL, acme.slug, [acme.client])
    with pytest.raises(Refused, match="Let the user see all"):
        users.change_role(EMAIL, acme.slug, role)
    limits.limit_user(EMAIL, acme.slug, None)
    users.change_role(EMAIL, acme.slug, role)
    with pytest.raises(Refused, match="Only a technician or viewer"):
        limits.limit_user(EMAIL, acme.slug, [acme.client])
    with pytest.raises(Refused, match="Only a technician or viewer"):
        invitations.invite("new@acme.example", acme.slug, role, client_ids=[acme.client])


@pytest.mark.parametrize("has_account", [False, True])
def test_an_invitation_hands_its_limit_on(app: Flask, acme: Place, has_account: bool) -> None:
    caller, email = Caller("192.0.2.1"), "new@acme.example"
    with app.app_context():
        second = add(acme, "Second")
        link = invitations.invite(email, acme.slug, "viewer", client_ids=[acme.client, second]).link
        token = link.rpartition("#")[2]
        with tenant_scope(acme.id):
            delete_client(second)
        if has_account:
            user = users.get_user(email) if make_user(app, email) else None
            assert user is not None
            invitations.accept_as(user, token, caller)
        else:
            user, _slug = invitations.accept_as_new(token, PASSWORD, caller)
        assert limits.read_limit(place_of(user.id)) == frozenset({acme.client})
