"""The pages of the API: tokens made, shown once and revoked; the reference."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.conftest import PREFIX, Reader
from tests.web.conftest import owner, viewer
from tests.web.world import Place

__all__ = ["owner", "viewer"]

pytestmark = pytest.mark.one_database


def test_a_token_is_shown_once_works_and_is_revoked(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    typed = {"name": "Reports", "scopes": "read", "days": "30", "networks": "127.0.0.1\n10.0.0.0/8"}
    page = owner.post(acme.url("api/"), data=typed)
    [token] = re.findall(r'id="api-token">(rmmp_[\w-]+)<', page.text)
    program = Reader(app.test_client(), token)

    assert program.get("/assets").status_code == 200
    listed = owner.get(acme.url("api/")).text
    assert token not in listed
    assert f"…{token[-4:]}" in listed
    assert "127.0.0.1/32, 10.0.0.0/8" in listed
    [number] = re.findall(r"/api/(\d+)/revoke", listed[listed.index("Reports") :])[:1]
    assert "was revoked" in owner.post(acme.url(f"api/{number}/revoke"), follow_redirects=True).text
    assert program.get("/assets").status_code == 401


def test_those_that_are_ticked_are_revoked(app: Flask, owner: FlaskClient, acme: Place) -> None:
    typed = {"scopes": "read", "days": "30"}
    pages = [owner.post(acme.url("api/"), data=typed | {"name": name}) for name in ("One", "Two")]
    tokens = [re.findall(r'id="api-token">(rmmp_[\w-]+)<', page.text)[0] for page in pages]
    programs = [Reader(app.test_client(), token) for token in tokens]
    listed = owner.get(acme.url("api/")).text
    ids = re.findall(r'name="token" value="(\d+)" form="chosen-tokens"', listed)
    assert (len(ids), str(acme.token) in ids) == (3, True)

    ids.remove(str(acme.token))
    page = owner.post(acme.url("api/revoke"), data={"token": ids}, follow_redirects=True).text
    assert "2 tokens were revoked. They open nothing any more." in page
    assert [program.get("/assets").status_code for program in programs] == [401, 401]
    assert f"/api/{acme.token}/revoke" in page
    none = owner.post(acme.url("api/revoke"), follow_redirects=True)
    assert "Select at least one token." in none.text


def test_what_cannot_be_used_is_said_beside_its_field_and_kept(
    owner: FlaskClient, acme: Place
) -> None:
    typed = {"name": "Reports", "scopes": "audit", "days": "1e3", "networks": "10.0.0.0/8"}
    page = owner.post(acme.url("api/"), data=typed)

    assert page.status_code == 422
    assert re.search(
        r'id="days-error">.*Enter a number of days from 1 to 365', page.text, re.DOTALL
    )
    assert 'value="Reports"' in page.text
    assert 'value="audit" aria-describedby="scope-audit-help" checked' in page.text
    assert "10.0.0.0/8</textarea>" in page.text
    assert "rmmp_" not in page.text


def test_every_fault_is_said_at_once_and_what_was_chosen_stays(
    owner: FlaskClient, acme: Place
) -> None:
    typed = {"name": " ", "scopes": "audit", "days": "0", "networks": "here", "sees": "some"}
    page = owner.post(acme.url("api/"), data={**typed, "client": str(acme.client)})

    assert page.status_code == 422
    wrong = re.findall(r'class="field-error" id="(\w+)-error"', page.text)
    assert wrong == ["name", "days", "networks", "clients"]
    assert f'name="client" value="{acme.client}" checked' in page.text


def test_a_token_is_made_for_the_clients_that_are_ticked(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    typed = {"name": "Reports", "scopes": "read", "days": "9", "sees": "some"}
    nothing = owner.post(acme.url("api/"), data=typed)
    assert "Choose at least one client" in nothing.text
    page = owner.post(acme.url("api/"), data={**typed, "client": str(acme.client)})
    [token] = re.findall(r'id="api-token">(rmmp_[\w-]+)<', page.text)

    assert "of Acme Client" in page.text
    assert [each["name"] for each in Reader(app.test_client(), token).items("/clients")] == [
        "Acme Client"
    ]


def test_the_reference_shows_what_the_document_says(viewer: FlaskClient, acme: Place) -> None:
    document = viewer.get(f"{PREFIX}/openapi.json").get_json()
    page = viewer.get(acme.url("api/reference")).text

    for path in document["paths"]:
        assert f"<code>GET {path}</code>" in page
    for name in document["components"]["schemas"]["Asset"]["properties"]:
        assert f"<code>{name}</code>" in page
    assert viewer.get(acme.url("api/")).status_code == 403
