"""A token that is limited to some clients reads nothing of the others."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import ApiTokenClient, AuditEntry
from portal.services.api.tokens import add_token
from tests.api.conftest import Reader, in_tenant, make_reader
from tests.api.test_isolation import path, rules
from tests.web.safety.neighbour import MARKS, make_neighbour
from tests.web.world import Place

pytestmark = pytest.mark.mainly("postgresql")

OF_THE_TENANT = {"api_channels.show_channel", "api_rules.show_rule", "api_windows.show_window"}
"""One record that belongs to no client."""


@pytest.fixture
def neighbour(app: Flask, acme: Place) -> Place:
    return make_neighbour(app, acme)


@pytest.fixture
def limited(app: Flask, http: FlaskClient, acme: Place, neighbour: Place) -> Reader:
    return make_reader(app, http, acme, scopes=["read"], client_ids=[acme.client])


def marks_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.lower()]


def test_every_address_answers_its_clients_alone(
    app: Flask, limited: Reader, acme: Place, neighbour: Place
) -> None:
    shown = 0
    for rule in rules(app):
        if rule.rule.startswith("/api/v1/audit"):
            assert limited.get(path(rule, acme)).status_code == 403
            continue
        if rule.endpoint in OF_THE_TENANT:
            assert limited.get(path(rule, acme)).status_code == 404
            continue
        here = limited.get(path(rule, acme))
        foreign = limited.get(path(rule, neighbour))
        assert here.status_code == 200, rule
        assert foreign.status_code == (404 if rule.arguments else 200), rule
        # Records of their own meet the others', and have such an id themselves.
        assert marks_in(re.sub(r'"id":"8800\d+"', "", here.text)) == [], rule
        assert marks_in(foreign.text.replace("8800", "")) == [], rule
        shown += "acme" in here.text.lower()
    assert shown > 10
    assert [each["name"] for each in limited.items("/clients")] == ["Acme Client"]
    assert limited.items("/assets", client_id=neighbour.client) == []
    assert limited.items("/installs", title_id=neighbour.title) == []


@pytest.mark.one_database
def test_without_the_limit_both_are_there(
    app: Flask, http: FlaskClient, acme: Place, neighbour: Place
) -> None:
    everything = make_reader(app, http, acme)

    assert len(everything.items("/clients")) == 2
    assert everything.get(f"/assets/{neighbour.asset}").status_code == 200


def test_a_limit_whose_last_client_is_gone_shows_nothing(
    app: Flask, limited: Reader, acme: Place
) -> None:
    with in_tenant(app, acme), transaction() as session:
        session.execute(delete(ApiTokenClient))

    for name in ("/clients", "/assets", "/alerts", "/software", "/installs", "/organizations"):
        assert limited.items(name) == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("scopes", "chosen"), [(["read"], [0]), (["read"], []), (["read", "audit"], None)]
)
def test_what_cannot_be_is_refused(
    app: Flask, acme: Place, scopes: list[str], chosen: list[int] | None
) -> None:
    clients = [acme.client] if chosen is None else chosen
    with in_tenant(app, acme), pytest.raises(InvalidInput) as found:
        add_token("Reports", scopes, client_ids=clients)
    assert found.value.field == "clients"


@pytest.mark.one_database
@pytest.mark.usefixtures("limited")
def test_the_audit_trail_names_the_clients(app: Flask, acme: Place) -> None:
    with in_tenant(app, acme):
        rows = db.session.query(AuditEntry).filter_by(action="token.made").all()
        assert [row.after["clients"] for row in rows if row.after] == [["Acme Client"]]
