"""Views of lists, and how lists look: for oneself and for everybody."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Event, Membership, SavedView
from portal.scope import tenant_scope
from portal.services.api.paging import Part
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.saved_views import keeping
from portal.services.saved_views.listing import KEPT_DELETED, list_part
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_user, sign_in

SERVERS = {"list_name": "assets", "name": "Old servers", "query": "type=workstation&page=3&sort=os"}


def menu(http: FlaskClient, place: Place) -> str:
    text = http.get(place.url("clients/")).text
    return text.partition('id="nav-views"')[2].partition("</ul>")[0]


def find_id(app: Flask, place: Place, name: str) -> int:
    with app.app_context(), tenant_scope(place.id):
        return db.session.scalars(select(SavedView.id).where(SavedView.name == name)).one()


def test_a_view_is_saved_opened_renamed_and_brought_back(
    app: Flask, viewer: FlaskClient, acme: Place
) -> None:
    saved = viewer.post(acme.url("views/"), data=SERVERS)
    number = find_id(app, acme, "Old servers")
    assert saved.location == acme.url(f"assets/?type=workstation&sort=os&view={number}")
    assert "Old servers" in menu(viewer, acme)
    assert viewer.get(acme.url(f"views/{number}")).location == saved.location
    assert "Keep these filters in “Old servers”" in viewer.get(saved.location).text

    viewer.post(
        acme.url(f"views/{number}/change"), data={"query": "type=workstation&columns=serial"}
    )
    page = viewer.get(acme.url(f"views/{number}"), follow_redirects=True).text
    assert ">Serial number</th>" in page
    assert ">Site" not in page.partition("<thead>")[2].partition("</thead>")[0]

    viewer.post(acme.url(f"views/{number}/start"), data={"begins": "1"})
    assert f'href="{acme.url(f"views/{number}")}" data-go="a"' in viewer.get(acme.url()).text

    taken = viewer.post(acme.url(f"views/{number}/rename"), data={"name": " "})
    assert taken.status_code == 422
    assert "Enter a name for the view." in taken.text
    assert menus_to_rename(taken.text) == ["open"], "with what is wrong"
    assert menus_to_rename(viewer.get(acme.url("views/")).text) == [""]
    viewer.post(acme.url(f"views/{number}/rename"), data={"name": "New servers"})
    gone = viewer.post(acme.url(f"views/{number}/delete"), follow_redirects=True).text
    assert "New servers" not in menu(viewer, acme)
    assert "Bring back New servers" in gone
    assert 'data-go="a"' in viewer.get(acme.url()).text
    assert viewer.get(acme.url(f"views/{number}")).status_code == 404
    viewer.post(acme.url(f"views/{number}/restore"))
    assert "New servers" in menu(viewer, acme)


def test_whose_a_view_is(app: Flask, http: FlaskClient, viewer: FlaskClient, acme: Place) -> None:
    viewer.post(acme.url("views/"), data=SERVERS)
    refused = viewer.post(acme.url("views/"), data=SERVERS | {"shared": "1"})
    assert refused.status_code == 409
    assert viewer.post(acme.url(f"views/{acme.view}/delete")).status_code == 409
    assert "Acme servers" in menu(viewer, acme)
    own = find_id(app, acme, "Old servers")

    sign_in(app, http, make_user(app, "tom@acme.example", acme, role="technician"))
    for path in ("", "/delete", "/rename", "/restore", "/start", "/change"):
        answer = http.open(acme.url(f"views/{own}{path}"), method="POST" if path else "GET")
        assert answer.status_code == 404, path
    http.post(acme.url("views/"), data=SERVERS | {"name": "Ours", "shared": "1"})
    assert "Old servers" not in menu(http, acme)
    assert "Ours" in menu(http, acme)

    sign_in(app, http, limited_user(app, acme, acme.client))
    assert "Ours" not in menu(http, acme), "it may name clients that they do not see"
    assert http.get(acme.url(f"views/{acme.view}")).status_code == 404
    http.post(acme.url("views/"), data=SERVERS)
    assert "Old servers" in menu(http, acme)


@pytest.mark.one_database
def test_views_have_limits(
    app: Flask, viewer: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(**more: str) -> str:
        return viewer.post(acme.url("views/"), data=SERVERS | more, follow_redirects=True).text

    monkeypatch.setattr(keeping, "MOST_OWN", 2)
    assert "Enter a name for the view." in save(name="")
    assert "Use at most 60 characters" in save(name="x" * 61)
    assert "too long to be saved" in save(query="q=" + "x" * 2000)
    endless = "&q=x" * 101
    assert "too long to be saved" in save(query=endless)
    save()
    own = acme.url(f"views/{find_id(app, acme, 'Old servers')}/change")
    assert viewer.post(own, data={"query": endless}).status_code == 400
    assert "exists already" in save(name="old  SERVERS")
    save(name="Second")
    assert "You have 2 views already." in save(name="Third")

    first = find_id(app, acme, "Second")
    viewer.post(acme.url(f"views/{first}/delete"))
    save(name="Third")
    page = viewer.post(acme.url(f"views/{first}/restore"), follow_redirects=True).text
    assert "You have 2 views already." in page
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(SavedView, first).deleted_at = utc_now() - KEPT_DELETED
    assert viewer.post(acme.url("views/nothing")).status_code == 404
    monkeypatch.setattr(keeping, "MOST_OWN", 3)
    save(name="Fourth")
    with app.app_context(), tenant_scope(acme.id):
        assert db.session.get(SavedView, first) is None, "nobody can bring it back"


@pytest.mark.one_database
def test_a_list_looks_as_its_reader_chose(app: Flask, viewer: FlaskClient, acme: Place) -> None:
    chosen = {"column": ["serial", "client", "nothing"], "density": "compact"}
    chosen["next"] = acme.url("assets/?type=workstation")
    answer = viewer.post(acme.url("views/look/assets"), data=chosen)
    assert answer.location == chosen["next"]

    page = viewer.get(acme.url("assets/")).text
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    assert 'data-density="compact"' in page
    assert "Client" in head
    assert "Serial number" in head
    assert "Last seen" not in head
    assert 'name="query" value="columns=client%2Cserial"' in page, "a view keeps them"
    shared = viewer.get(acme.url("assets/?columns=user")).text
    assert "User" in shared.partition("<thead>")[2].partition("</thead>")[0]
    assert viewer.post(acme.url("views/look/nothing")).status_code == 404
    with app.app_context(), tenant_scope(acme.id):
        kept = db.session.scalars(select(Membership.list_choices)).all()
    assert {"density": "compact", "columns": {"assets": ["client", "serial"]}} in kept


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("path", "chosen", "left_out"),
    [
        ("software/", {"newest": "Newest", "older": "Older"}, ("Publisher", "Versions")),
        ("activity/", {"when": "When"}, ("About", "Content")),
        ("deliveries/", {"outcome": "Outcome", "agent": "Agent"}, ("Alert", "Took", "Received")),
        ("audit/", {"who": "Who", "when": "When"}, ("Target", "Changes")),
    ],
)
def test_columns_that_were_not_chosen_are_left_out(
    app: Flask,
    owner: FlaskClient,
    acme: Place,
    path: str,
    chosen: dict[str, str],
    left_out: tuple[str, ...],
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(Event(type="rmm.device.created", subject="acme-pc", payload={}))
        record(Action.CLIENT_ADDED, Target("client", acme.client, "Acme Client"))
    for columns, shown in (
        ("", (*chosen.values(), *left_out)),
        (",".join(chosen), chosen.values()),
    ):
        table = owner.get(acme.url(f"{path}?columns={columns}")).text.partition("<thead>")[2]
        head, _, body = table.partition("</thead>")
        names = {name for name in (*chosen.values(), *left_out) if name in head}
        assert names == set(shown)
        first = body.partition("</tr>")[0]
        assert first.count("<td") + first.count("<th ") == head.count("<th ")


@pytest.mark.one_database
def test_views_of_a_list_are_there_for_those_who_open_it(
    app: Flask, http: FlaskClient, admin: FlaskClient, acme: Place
) -> None:
    numbers = {}
    for name, query, kept in (
        ("deliveries", "status=failed&page=2", "status=failed"),
        ("conflicts", "show=settled&q=pc", "show=settled&q=pc"),
        ("audit", "what=view&before=12", "what=view"),
    ):
        data = {"list_name": name, "name": f"Our {name}", "query": query, "shared": "1"}
        saved = admin.post(acme.url("views/"), data=data).location
        numbers[name] = find_id(app, acme, f"Our {name}")
        assert saved == acme.url(f"{name}/?{kept}&view={numbers[name]}")
        assert f"Keep these filters in “Our {name}”" in admin.get(saved).text
        assert f"Our {name}" in menu(admin, acme)

    sign_in(app, http, make_user(app, "vic@acme.example", acme, role="viewer"))
    assert "Our deliveries" in menu(http, acme)
    assert "Our audit" not in menu(http, acme)
    assert "Our audit" not in http.get(acme.url("views/")).text
    assert http.get(acme.url(f"views/{numbers['audit']}")).status_code == 404
    unread = {"list_name": "audit", "name": "Mine", "query": ""}
    assert http.post(acme.url("views/"), data=unread).status_code == 404
    with app.app_context(), tenant_scope(acme.id):
        told = list_part("", Part()).records
    assert {each["name"] for each in told} == {"Acme servers", "Our conflicts"}


@pytest.mark.one_database
def test_organizations_keep_their_columns_in_what_is_done_to_them(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    listed = acme.url("organizations/?q=a&columns=agents")
    page = admin.get(listed).text
    assert ">Agents</th>" in page
    assert ">Auto-sync</th>" not in page
    admin.post(acme.url("views/"), data={"list_name": "organizations", "name": "A", "query": "q=a"})
    assert f"q=a&view={find_id(app, acme, 'A')}" in admin.get(
        acme.url(f"views/{find_id(app, acme, 'A')}")
    ).location.replace("&amp;", "&")

    fragment = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{listed}"}
    row = acme.url(f"organizations/{acme.organization}")
    answers = [
        admin.post(f"{row}/auto-sync", data={"auto_sync": "1"}, headers=fragment).text,
        admin.post(
            acme.url("organizations/many"),
            data={"action": "ignore", "organization": acme.organization, "q": "a"},
            headers=fragment,
        ).text,
    ]
    for answer in answers:
        assert "mapping-agents" in answer
        assert 'role="switch"' not in answer
    shown = admin.get(listed, headers=fragment | {"HX-Target": "organization-rows"}).text
    assert 'id="organization-tools" hx-swap-oob="true"' in shown


@pytest.mark.one_database
def test_clients_are_listed_with_what_is_the_matter(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url("clients/")).text
    assert f"alerts/?client_id={acme.client}" in page.partition("<tbody>")[2]
    fewer = admin.get(acme.url("clients/?columns=assets")).text
    assert ">Active alerts</th>" not in fewer


def menus_to_rename(page: str) -> list[str]:
    """Of each view that may be renamed: whether its form stands open."""
    return re.findall(
        r'<details class="menu menu-end" ?(open)?>\s*<summary [^>]*aria-label="Rename ', page
    )
