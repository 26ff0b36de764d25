"""The answers of the mapping page, with htmx and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db, transaction
from portal.models import Asset, Client, Integration, OrganizationMapping
from portal.scope import tenant_scope
from portal.services.clients import add_client
from portal.services.integrations.current import get_integration
from tests.web.conftest import HTMX
from tests.web.world import Place

Ask = Callable[..., TestResponse]


@pytest.fixture
def globex(app: Flask, acme: Place) -> int:
    with app.app_context(), tenant_scope(acme.id):
        return add_client("Globex").id


@pytest.fixture
def unmapped(app: Flask, acme: Place) -> int:
    """An organization named as the client Globex is."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        row = OrganizationMapping(
            integration_id=get_integration().id,
            external_organization_id="8",
            external_organization_name="GLOBEX",
        )
        session.add(row)
        session.flush()
        return row.id


@pytest.fixture
def post(admin: FlaskClient, acme: Place) -> Ask:
    def send(action: str, organization: int | None = None, htmx: bool = True, **data: Any) -> Any:
        where = acme.url(f"organizations/{organization or acme.organization}/{action}")
        return admin.post(where, data=data, headers=HTMX if htmx else {})

    return send


def read(app: Flask, acme: Place) -> tuple[str | None, str]:
    """The client of acme's organization, and the client of its asset."""
    with app.app_context(), tenant_scope(acme.id):
        organization = db.session.get_one(OrganizationMapping, acme.organization)
        asset = db.session.get_one(Asset, acme.asset)
        client = organization.client.name if organization.client else None
        return client, asset.client.name


def test_a_move_asks_first_and_moves_on_a_yes(
    app: Flask, post: Ask, acme: Place, globex: int
) -> None:
    asked = post("client", client_name="Globex", client_id=globex)

    assert asked.status_code == 409
    assert "1 asset will move from Acme Client to Globex" in asked.text
    assert read(app, acme) == ("Acme Client", "Acme Client")

    done = post("client", client_name="Globex", client_id=globex, confirmed="1")

    assert done.status_code == 200
    assert "is now mapped to Globex. 1 asset moved to it." in done.headers["HX-Trigger"]
    assert f'id="organization-{acme.organization}"' in done.text
    assert 'id="organization-counts"' in done.text
    assert read(app, acme) == ("Globex", "Globex")


def test_without_scripts_the_question_is_a_page(
    app: Flask, post: Ask, acme: Place, globex: int
) -> None:
    asked = post("client", htmx=False, client_name="globex")
    done = post("client", htmx=False, client_name="globex", confirmed="1")

    assert "1 asset will move" in asked.text
    assert "<!doctype html>" in asked.text
    assert done.location == acme.url("organizations/")
    assert read(app, acme) == ("Globex", "Globex")


@pytest.mark.one_database
def test_a_client_is_made_in_place(app: Flask, post: Ask, unmapped: int) -> None:
    done = post("client", unmapped, client_name="  Brand   New ", client_id="", create="1")

    assert done.status_code == 200
    assert 'value="Brand New"' in done.text


@pytest.mark.one_database
def test_a_name_that_exists_is_chosen_rather_than_made(
    app: Flask, post: Ask, unmapped: int, globex: int
) -> None:
    done = post("client", unmapped, client_name="globex", create="1")

    assert done.status_code == 200
    assert 'value="Globex"' in done.text


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({"client_name": "Nobody"}, 422, "There is no client named Nobody."),
        (
            {"client_name": "", "client_id": "none"},
            422,
            "This client does not exist. Choose one from the list of clients.",
        ),
        (
            {"client_name": "", "client_id": "9" * 30},
            422,
            "This client does not exist. Choose one from the list of clients.",
        ),
        ({"client_name": "x" * 201, "create": "1"}, 422, "at most 200 characters"),
    ],
)
def test_a_refusal_stands_in_the_row(
    app: Flask, post: Ask, acme: Place, data: dict[str, str], status: int, words: str
) -> None:
    answer = post("client", **{"confirmed": "1"} | data)

    assert answer.status_code == status
    assert words in answer.text
    assert f'id="organization-{acme.organization}"' in answer.text
    assert read(app, acme) == ("Acme Client", "Acme Client")


@pytest.mark.one_database
def test_an_empty_call_does_not_unmap(app: Flask, post: Ask, acme: Place) -> None:
    assert post("client").status_code == 422
    assert read(app, acme)[0] == "Acme Client"


@pytest.mark.parametrize("action", ["unmap", "client"])
def test_unmapping_keeps_the_assets(app: Flask, post: Ask, acme: Place, action: str) -> None:
    answer = post(action, client_name="")

    assert "no longer mapped. Its assets stay" in answer.headers["HX-Trigger"]
    assert read(app, acme) == (None, "Acme Client")


@pytest.mark.one_database
def test_the_switch(app: Flask, post: Ask, acme: Place) -> None:
    off, on = post("auto-sync"), post("auto-sync", auto_sync="1")

    assert "Auto-sync of Acme Organization is off." in off.headers["HX-Trigger"]
    assert " checked" not in off.text
    assert " checked" in on.text


@pytest.mark.one_database
def test_suggestions_are_accepted_one_by_one_or_together(
    admin: FlaskClient, post: Ask, acme: Place, globex: int, unmapped: int
) -> None:
    page = admin.get(acme.url("organizations/")).text
    assert "Accept 1 exact match" in page
    assert "Map to Globex" in page

    one = post("suggestion", unmapped, client_id=globex)
    assert "GLOBEX is now mapped to Globex." in one.headers["HX-Trigger"]
    assert "Accept" not in one.text

    post("unmap", unmapped)
    together = admin.post(acme.url("organizations/exact"), data={"show": "mapped"}, headers=HTMX)
    assert "Mapped 1 organization." in together.headers["HX-Trigger"]
    assert "GLOBEX" in together.text


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"GLOBEX", "Acme Organization"}),
        ("show=unmapped", {"GLOBEX"}),
        ("show=mapped", {"Acme Organization"}),
        ("show=gone", set()),
        ("show=unheard", {"GLOBEX", "Acme Organization"}),
        ("q=acme client", {"Acme Organization"}),
        ("q=glob", {"GLOBEX"}),
    ],
)
def test_the_address_filters(
    admin: FlaskClient, acme: Place, unmapped: int, query: str, names: set[str]
) -> None:
    whole = admin.get(acme.url(f"organizations/?{query}"))
    region = admin.get(
        acme.url(f"organizations/?{query}"),
        headers=HTMX | {"HX-Target": "organization-rows"},
    )

    for answer in (whole, region):
        shown = {name for name in ("GLOBEX", "Acme Organization") if f">{name}<" in answer.text}
        assert shown == names
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in region.text


@pytest.mark.one_database
def test_another_target_or_a_history_move_gets_the_whole_page(
    admin: FlaskClient, acme: Place
) -> None:
    for more in ({"HX-Target": "x"}, {"HX-History-Restore-Request": "true"}):
        answer = admin.get(acme.url("organizations/"), headers=HTMX | more)
        assert "<!doctype html>" in answer.text


@pytest.mark.one_database
def test_names_from_outside_are_words_and_not_markup(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    evil = '<img src=x onerror="alert(1)">'
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(OrganizationMapping, acme.organization).external_organization_name = evil
        session.get_one(Client, acme.client).name = evil
        session.get_one(Asset, acme.asset).name = evil
        session.get_one(Integration, get_integration().id).last_error = evil

    for path in ("", "organizations/", "clients/", "assets/", "integrations/tacticalrmm/"):
        text = admin.get(acme.url(path)).text
        assert "<img src=x" not in text
