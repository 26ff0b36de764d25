"""The answers of the mapping page, with htmx and without."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.db import db, transaction
from portal.models import Asset, Client, Integration, OrganizationMapping
from portal.scope import tenant_scope
from portal.services.clients import add_client
from portal.services.integrations.current import get_integration
from portal.services.lists import paging
from portal.services.organizations import choosing
from portal.web.organizations import answers
from tests.web.conftest import HTMX
from tests.web.lists.test_undo import do, press
from tests.web.world import Place

Ask = Callable[..., TestResponse]


def toast_of(answer: TestResponse) -> dict[str, Any]:
    toast: dict[str, Any] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return toast


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


def test_the_list_is_exported_as_it_is_filtered(
    admin: FlaskClient, acme: Place, globex: int, unmapped: int
) -> None:
    def names(query: str) -> list[str]:
        file = admin.get(acme.url(f"organizations/export.csv{query}")).text
        rows = csv.DictReader(file.splitlines())
        return [row["external_organization_name"] for row in rows]

    assert names("") == ["Acme Organization", "GLOBEX"]
    assert names("?show=mapped") == ["Acme Organization"]
    assert names("?show=suggested") == names("?q=globex") == ["GLOBEX"]
    shown = admin.get(acme.url("organizations/?show=suggested")).text
    assert f'href="{acme.url("organizations/export.csv?show=suggested")}"' in shown


def test_a_move_says_how_many_assets_came_along(
    app: Flask, post: Ask, acme: Place, globex: int
) -> None:
    done = post("client", client_name="Globex", client_id=globex)

    assert done.status_code == 200
    assert "is now mapped to Globex. 1 asset moved to it." in done.headers["HX-Trigger"]
    assert '"undo"' in done.headers["HX-Trigger"], "nothing asks before"
    assert f'id="organization-{acme.organization}"' in done.text
    assert 'id="organization-counts"' in done.text
    assert read(app, acme) == ("Globex", "Globex")

    back = post("client", htmx=False, client_name="Acme Client")
    assert back.location == acme.url("organizations/")
    assert read(app, acme) == ("Acme Client", "Acme Client")


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
    answer = post("client", **data)

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

    assert "Unmapped Acme Organization. Its assets stay." in answer.headers["HX-Trigger"]
    assert read(app, acme) == (None, "Acme Client")


@pytest.mark.one_database
def test_the_switch(app: Flask, post: Ask, acme: Place) -> None:
    off, on = post("auto-sync"), post("auto-sync", auto_sync="1")

    assert "Auto-sync of Acme Organization is off." in off.headers["HX-Trigger"]
    assert " checked" not in off.text
    assert " checked" in on.text


@pytest.mark.one_database
def test_suggestions_are_accepted_one_by_one_or_together(
    app: Flask, admin: FlaskClient, post: Ask, acme: Place, globex: int, unmapped: int
) -> None:
    page = admin.get(acme.url("organizations/")).text
    assert "Map 1 sure match" in page
    assert "Map to Globex" in page
    assert "Tactical does not say how many agents that would import" in page

    for agents, on, told in ((0, True, "no agents to import"), (5, False, "no agents to import")):
        with app.app_context(), tenant_scope(acme.id), transaction() as session:
            row = session.get_one(OrganizationMapping, unmapped)
            row.agent_count, row.auto_sync_assets = agents, on
        page = admin.get(acme.url("organizations/")).text
        assert f"Map 1 sure match, {told}" in page
        assert "import 0" not in page

    one = post("suggestion", unmapped, client_id=globex)
    assert "GLOBEX is now mapped to Globex." in one.headers["HX-Trigger"]
    assert "sure match" not in one.text

    post("unmap", unmapped)
    together = admin.post(acme.url("organizations/exact"), data={"show": "mapped"}, headers=HTMX)
    assert "Mapped 1 organization." in together.headers["HX-Trigger"]
    assert "GLOBEX" in together.text


@pytest.mark.one_database
def test_of_thousands_what_is_alike_is_looked_for_where_it_is_in_view(
    app: Flask,
    admin: FlaskClient,
    acme: Place,
    globex: int,
    unmapped: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        for number, name in enumerate(("Globex Europ", "Globbex", "Gloobex", "Quite another")):
            values = {"external_organization_id": f"{number + 50}", "agent_count": 1}
            values["external_organization_name"] = name
            session.add(OrganizationMapping(integration_id=get_integration().id, **values))
    monkeypatch.setattr(paging, "PAGE_SIZE", 1)
    few = admin.get(acme.url("organizations/?show=unmapped")).text
    monkeypatch.setattr(answers, "SOON", 0)
    many = admin.get(acme.url("organizations/?show=unmapped")).text
    same = admin.get(acme.url("organizations/?show=suggested")).text
    similar = admin.get(acme.url("organizations/?show=similar")).text

    for page in (few, many):
        assert ">Globbex</" in page
        assert "Similar name · </span>score " in page
        assert 'Same name <span class="chip-number">1</span>' in page
        assert "Map 1 sure match" in page
    assert 'Similar name <span class="chip-number">3</span>' in few
    assert ">Similar name</a>" in many
    assert (">GLOBEX</" in same, "1 organization" in same) == (True, True)
    assert (">Globbex</" in similar, "3 organizations" in similar) == (True, True)


@pytest.mark.one_database
def test_a_mapped_organization_takes_its_name_from_others(
    admin: FlaskClient, post: Ask, acme: Place, globex: int, unmapped: int
) -> None:
    assert "Map 1 sure match" in admin.get(acme.url("organizations/")).text
    post("client", client_id=globex, client_name="Globex")
    assert "Map 1 sure match" in admin.get(acme.url("organizations/")).text
    with admin.application.app_context(), tenant_scope(acme.id), transaction() as session:
        mapped = session.get_one(OrganizationMapping, acme.organization)
        mapped.external_organization_name = "Globex Inc."
    page = admin.get(acme.url("organizations/")).text
    assert "sure match" not in page
    assert "Several have this name" in page


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"GLOBEX", "Acme Organization"}),
        ("show=unmapped", {"GLOBEX"}),
        ("show=mapped", {"Acme Organization"}),
        ("show=suggested", set()),
        ("show=similar", set()),
        ("show=ignored", set()),
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


def test_many_at_once_and_the_way_back(
    app: Flask, admin: FlaskClient, acme: Place, unmapped: int
) -> None:
    """From nothing: no client is named like the organizations."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        values = {"integration_id": get_integration().id, "agent_count": 107}
        rows = [
            OrganizationMapping(
                **values, external_organization_id=each, external_organization_name=f"New {each}"
            )
            for each in ("21", "22")
        ]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
    address = acme.url("organizations/")

    def act(action: str, htmx: bool = True, **more: Any) -> TestResponse:
        data = {"action": action, "organization": ids, "show": "unmapped", **more}
        return admin.post(f"{address}many", data=data, headers=HTMX if htmx else {})

    def undo(answer: TestResponse) -> TestResponse:
        offered = json.loads(answer.headers["HX-Trigger"])["toast"]["undo"]
        return admin.post(offered["url"], headers=HTMX)

    def names() -> set[str]:
        with app.app_context(), tenant_scope(acme.id):
            return set(db.session.scalars(select(Client.name)))

    assert admin.get(address).text.count('data-agents="107"') == 2
    created = act("create")
    assert "Created 2 clients, mapped 2 organizations." in created.headers["HX-Trigger"]
    assert names() == {"Acme Client", "New 21", "New 22"}
    assert "Undone: created 2 clients" in undo(created).headers["HX-Trigger"]
    assert names() == {"Acme Client"}
    assert "undone already" in undo(created).headers["HX-Trigger"]

    ignored = act("ignore")
    assert "Ignored: 2 organizations." in ignored.headers["HX-Trigger"]
    assert "New 21" not in ignored.text
    assert "New 21" in admin.get(f"{address}?show=ignored").text
    undo(ignored)
    assert "New 21" not in admin.get(f"{address}?show=ignored").text
    assert act("ignore", htmx=False).status_code == 302
    assert "No longer ignored: 2 organizations." in act("ask").headers["HX-Trigger"]

    without = act("assign", htmx=False, client_name="acme client")
    page = admin.get(without.location).text
    assert "Mapped 2 organizations to Acme Client." in page
    with app.app_context(), tenant_scope(acme.id):
        assert db.session.get_one(OrganizationMapping, ids[0]).client_id == acme.client
    [*_, offered] = re.findall(r'action="(/t/acme/undo/\d+)"', page)
    undone = admin.post(offered, data={"next": without.location}, follow_redirects=True)
    assert "Undone: mapped 2 organizations to Acme Client." in undone.text
    shown: dict[str, Any] = {f"suggested-{each}": acme.client for each in ids}
    assert "as suggested" in act("accept", **shown).headers["HX-Trigger"]
    assert "Unmapped 2 organizations" in act("unmap").headers["HX-Trigger"]
    assert "Choose a client." in act("assign").headers["HX-Trigger"]
    assert "Choose at least one" in act("create", organization=[]).headers["HX-Trigger"]
    assert "Choose what to do" in act("dance").headers["HX-Trigger"]


def test_an_undo_moves_assets_back_and_leaves_what_changed_since(
    app: Flask, post: Ask, acme: Place, globex: int, admin: FlaskClient
) -> None:
    moved = post("client", client_name="Globex", client_id=globex)
    assert read(app, acme) == ("Globex", "Globex")
    undo = json.loads(moved.headers["HX-Trigger"])["toast"]["undo"]
    admin.post(undo["url"], headers=HTMX)
    assert read(app, acme) == ("Acme Client", "Acme Client")

    unmapped = post("unmap")
    post("client", client_name="Globex", client_id=globex)
    undo = json.loads(unmapped.headers["HX-Trigger"])["toast"]["undo"]
    answer = admin.post(undo["url"], headers=HTMX)
    assert "It was changed since" in answer.headers["HX-Trigger"]
    assert read(app, acme)[0] == "Globex"


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


def test_auto_sync_of_those_that_are_ticked_is_switched_and_undone(
    app: Flask, admin: FlaskClient, acme: Place, unmapped: int
) -> None:
    """One that is not mapped has none, and is left as it is."""

    def switches() -> dict[int, bool]:
        with app.app_context(), tenant_scope(acme.id):
            rows = db.session.scalars(select(OrganizationMapping))
            return {row.id: row.auto_sync_assets for row in rows}

    before = switches()
    assert before[acme.organization]
    both = {"organization": [acme.organization, unmapped]}
    undo = do(admin, acme, "organizations/many", **both, action="auto-sync-off")
    assert switches() == before | {acme.organization: False}
    again = both | {"action": "auto-sync-off"}
    answer = admin.post(acme.url("organizations/many"), data=again, headers=HTMX)
    assert "Auto-sync is off already." in answer.headers["HX-Trigger"]
    assert press(admin, undo).startswith("Undone: turned auto-sync off for ")
    assert switches() == before
    one = {"organization": unmapped, "action": "auto-sync-on"}
    answer = admin.post(acme.url("organizations/many"), data=one, headers=HTMX)
    assert "None of these organizations is mapped." in answer.headers["HX-Trigger"]


@pytest.fixture
def hundreds(app: Flask, acme: Place) -> int:
    """Organizations on several pages, with 3 agents each; one of which Tactical does not say how
    many, one that no client can be named like, and two of one name."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        names = [f"Office{number:03}" for number in range(297)]
        names += ["Long " + "x" * 200, "Twins", "twins"]
        for number, name in enumerate(names):
            row = OrganizationMapping(
                integration_id=get_integration().id,
                external_organization_id=f"h{number}",
                external_organization_name=name,
                agent_count=3 if number else None,
            )
            session.add(row)
        return len(names)


def test_clients_are_created_of_all_that_match_and_taken_back(
    app: Flask, admin: FlaskClient, acme: Place, hundreds: int
) -> None:
    """However many pages they have; one with a name that is too long stays, and is named."""

    def count() -> tuple[int, int]:
        with app.app_context(), tenant_scope(acme.id):
            mapped = OrganizationMapping.client_id.is_not(None)
            return (
                db.session.scalar(select(func.count(Client.id))) or 0,
                db.session.scalar(select(func.count(OrganizationMapping.id)).where(mapped)) or 0,
            )

    page = admin.get(acme.url("organizations/?show=unmapped")).text
    assert "All 300 that match" in page
    assert 'data-select-matching="300" data-agents="897" data-unknown="1"' in page
    before = count()
    data = {"which": "all", "action": "create", "show": "unmapped"}
    toast = toast_of(admin.post(acme.url("organizations/many"), data=data, headers=HTMX))
    assert "Created 298 clients, mapped 299 organizations." in toast["message"]
    assert "No client was created of “Long xxxxx" in toast["message"]
    assert "a client's name has 1 to 200 characters" in toast["message"]
    assert count() == (before[0] + 298, before[1] + 299)
    assert "Long xxx" in admin.get(acme.url("organizations/?show=unmapped")).text
    undone = admin.post(toast["undo"]["url"], headers=HTMX)
    assert "Undone: created 298 clients" in toast_of(undone)["message"]
    assert count() == before


@pytest.mark.one_database
def test_all_that_match_are_those_that_the_list_shows(
    app: Flask,
    admin: FlaskClient,
    acme: Place,
    hundreds: int,
    unmapped: int,
    globex: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(action: str, **more: Any) -> str:
        data = {"which": "all", "action": action, "show": "unmapped", **more}
        answer = admin.post(acme.url("organizations/many"), data=data, headers=HTMX)
        return str(toast_of(answer)["message"])

    def client_of(organization: int) -> int | None:
        with app.app_context(), tenant_scope(acme.id):
            return db.session.get_one(OrganizationMapping, organization).client_id

    assert act("ignore", q="office00") == "Ignored: 10 organizations."
    assert act("ask", q="office", show="ignored") == "No longer ignored: 10 organizations."
    assigned = act("assign", q="office29", client_id=acme.client)
    assert assigned.startswith("Mapped 7 organizations to Acme Client.")
    assert "sure" in act("accept", q="office")
    assert act("accept").startswith("Mapped GLOBEX to Globex.")
    assert client_of(unmapped) == globex
    assert "No organization matches" in act("create", q="nobody")
    assert client_of(acme.organization) == acme.client

    monkeypatch.setattr(choosing, "MOST_MATCHING", 200)
    assert "More than 200 organizations match" in act("create")
    assert act("ignore", q="office1") == "Ignored: 100 organizations."


@pytest.mark.one_database
def test_an_organization_that_no_client_can_be_named_like_is_refused_by_name(
    app: Flask, post: Ask, acme: Place, hundreds: int
) -> None:
    with app.app_context(), tenant_scope(acme.id):
        long = OrganizationMapping.external_organization_name.startswith("Long ")
        [organization] = db.session.scalars(select(OrganizationMapping.id).where(long))
    answer = post("new-client", organization)
    assert answer.status_code == 422
    assert "No client was created of “Long xxx" in answer.text
