"""Which client is which customer of a helpdesk: suggested by name, saved by a press."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.helpdesks.kind import Choice
from portal.models import Client, Helpdesk
from portal.scope import tenant_scope
from portal.services.helpdesks.customers import list_mapped
from tests.web.conftest import acme, admin
from tests.web.world import Place

__all__ = ["acme", "admin"]

pytestmark = pytest.mark.one_database


def test_many_are_saved_at_once_and_only_what_was_changed(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        listed = [{"id": "41", "name": "ACME client"}, {"id": "42", "name": "Globex"}]
        session.get_one(Helpdesk, acme.helpdesk).lists = {"customers": listed}
        clients = [Client(name=name) for name in ("Globex Europe", "Initech", "Umbrella")]
        session.add_all(clients)
        session.flush()
        globex, initech, umbrella = [client.id for client in clients]
    address = acme.url(f"helpdesks/{acme.helpdesk}/customers")
    page = admin.get(address).text
    assert page.count("Suggested, not saved yet") == 1
    assert mapped(app, acme) == {}
    sent = {
        f"customer-{acme.client}": "ACME client",
        f"customer-{globex}": "globex",
        f"customer-{initech}": "help@initech.example",
        **{f"customer-{umbrella}": "41", f"was-{umbrella}": "41"},
    }
    assert "Saved 3 clients." in admin.post(address, data=sent, follow_redirects=True).text
    kept = {
        acme.client: Choice("41", "ACME client"),
        globex: Choice("42", "Globex"),
        initech: Choice("help@initech.example", "help@initech.example"),
    }
    assert mapped(app, acme) == kept
    page = admin.get(f"{address}?show=unmapped").text
    assert "Umbrella" in page
    assert "Initech" not in page
    assert "Not on the list that Acme Desk told last" in admin.get(address).text

    wrong = {f"customer-{umbrella}": "x" * 201, f"customer-{globex}": "", f"was-{globex}": "Globex"}
    answer = admin.post(address, data=wrong)
    assert (answer.status_code, "x" * 201 in answer.text) == (422, True)
    assert mapped(app, acme) == kept
    assert admin.post(address, data={"customer-x": "1"}).status_code == 400
    admin.post(address, data={f"customer-{globex}": "", f"was-{globex}": "Globex"})
    assert mapped(app, acme) == {id: kept[id] for id in (acme.client, initech)}


@pytest.mark.parametrize(("number", "is_said"), [(999, False), (1000, True)])
def test_a_list_that_was_cut_says_so(
    app: Flask, admin: FlaskClient, acme: Place, number: int, is_said: bool
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        listed = [{"id": f"c{each}", "name": f"Customer {each}"} for each in range(number)]
        session.get_one(Helpdesk, acme.helpdesk).lists = {"customers": listed}
    page = admin.get(acme.url(f"helpdesks/{acme.helpdesk}/customers")).text
    assert ("The list of customers was cut" in page) is is_said
    assert ("asked for its first 1,000" in page) is is_said


def mapped(app: Flask, place: Place) -> dict[int, Choice]:
    with app.app_context(), tenant_scope(place.id):
        return list_mapped(place.helpdesk)
