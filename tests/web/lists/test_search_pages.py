"""Search over everything: what is found, in which order, and by whom."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.models import Alert, Asset, Client, OrganizationMapping
from portal.models.alerts.alert import AlertStatus
from portal.models.integrations.integration import IntegrationState
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations.current import get_integration
from tests.web.safety.neighbour import limited_user, make_neighbour
from tests.web.world import Place, make_asset, make_user, sign_in

WAYS = [
    f"All {each} that match"
    for each in ("assets", "clients", "organizations", "alerts", "software", "tickets")
]
NOTHING = {"No record matches by name": WAYS}
LINK = re.compile(r'<a class="btn[^>]* href="([^"?#]+)[^>]*>([^<]+)</a>')
FORM = re.compile(
    r'<form method="post" action="([^"?]+)(?:(?!</form>).)*<button[^>]*>([^<]+)', re.DOTALL
)
PALETTE = {"HX-Request": "true", "HX-Target": "palette-options"}


def find(http: FlaskClient, place: Place, text: str = "") -> dict[str, list[str]]:
    """Heading of a group -> the names under it, as the palette lists them."""
    answer = http.get(place.url("search/"), query_string={"q": text}, headers=PALETTE)
    assert answer.status_code == 200
    groups = {}
    for group in answer.text.split('<ul class="palette-group"')[1:]:
        (heading,) = re.findall(r'role="presentation"[^>]*>([^<]+)<', group)
        groups[heading] = [unescape(name) for name in re.findall(r'found-name">([^<]*)<', group)]
    return groups


def test_every_kind_of_record_is_found(admin: FlaskClient, acme: Place) -> None:
    found = find(admin, acme, "acme")

    assert found["Assets"] == ["acme-pc"]
    assert found["Clients"] == ["Acme Client"]
    assert found["Organizations"] == ["Acme Organization"]
    assert found["Software"] == ["Acme Suite"]
    assert len(found["Open alerts"]) == len(found["Tickets"]) == 1
    assert find(admin, acme, f"#{acme.run}")["Sync runs"] == [f"Devices sync #{acme.run}"]
    assert find(admin, acme, "1042")["Tickets"] == ["1042 Check failing: acme-pc"]
    assert "Devices sync" in find(admin, acme, "devices")["Sync runs"][0]


def test_what_is_equal_comes_first_then_what_begins_so(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        names = ("a-srv-1", "SRV-10", "srv-1", "100%_srv")
        made = [make_asset(asset.integration_id, asset.client_id, name) for name in names]
        made[0].serial_number = "zx81"
        session.add_all(made)

    assert find(admin, acme, "srv-1")["Assets"] == ["srv-1", "SRV-10", "a-srv-1"]
    assert find(admin, acme, "SRV 1")["Assets"] == ["100%_srv", "SRV-10", "a-srv-1", "srv-1"]
    assert find(admin, acme, "%_")["Assets"] == ["100%_srv"]
    assert find(admin, acme, "ZX81")["Assets"] == ["a-srv-1"], "by its serial number"
    assert find(admin, acme, "nothing like it") == NOTHING


def test_companies_are_found_without_their_accents(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add_all([Client(name="Dvořák Účetnictví s.r.o."), Client(name="Søren & Söhne ApS")])
        its = session.get_one(OrganizationMapping, acme.organization)
        its.external_organization_name = "Łódź Café"
        its.read_name(its.external_organization_name)

    for text, name in (("dvorak", "Dvořák"), ("ucet DVOŘÁK", "Dvořák"), ("soren sohne", "Søren")):
        assert find(admin, acme, text)["Clients"][0].startswith(name)
        assert name in admin.get(acme.url(f"clients/?q={text}")).text
    assert find(admin, acme, "lodz cafe")["Organizations"] == ["Łódź Café"]
    assert "Łódź Café" in admin.get(acme.url("organizations/?q=lodz")).text
    assert find(admin, acme, "\u0301x") == NOTHING, "an accent alone"


@pytest.mark.one_database
def test_actions_are_those_that_can_be_taken_now(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    assert {"Sync devices", "Export assets"} <= {*find(admin, acme)["Actions"]}
    assert "Connect Tactical RMM" not in find(admin, acme)["Actions"]
    with app.app_context(), tenant_scope(acme.id), transaction():
        get_integration().state = IntegrationState.DISCONNECTED
    actions = {*find(admin, acme)["Actions"]}
    assert actions >= {"Connect Tactical RMM", "Export assets"}
    assert not [name for name in actions if name.startswith(("Sync", "Preview"))]
    with app.app_context():
        tenant = add_tenant("Globex IT", "globex")
    http = app.test_client()
    sign_in(app, http, make_user(app, "owner@globex.example", tenant, role="owner"))
    page = http.get("/t/globex/search/").text
    assert "Connect Tactical RMM" in page
    assert "Sync devices" not in page
    assert set(re.findall("Export [^<]+", page)) == {"Export the audit trail"}


@pytest.mark.one_database
def test_pages_and_actions_are_those_of_the_role(
    admin: FlaskClient, acme: Place, app: Flask
) -> None:
    page = admin.get(acme.url("search/?q=sync")).text
    assert 'action="/t/acme/sync-runs/start/devices"' in page, "an action is a form"
    assert find(admin, acme, "windows sync") == NOTHING
    assert find(admin, acme, "customer")["Actions"] == ["Add a client"]
    pages = ["Webhook", "Webhook calls", "Webhook settings", "Subscribers"]
    assert find(admin, acme, "webhook")["Pages"] == pages

    sign_in(app, admin, limited_user(app, acme, acme.client, role="viewer"))
    assert "Actions" not in find(admin, acme, "customer")
    assert "Pages" not in find(admin, acme, "webhook")


def test_lists_are_searched_for_what_has_no_such_name(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        alert = session.get_one(Alert, acme.alert)
        alert.message, alert.status = "Disk space is low", AlertStatus.RESOLVED
    assert find(admin, acme, "disk space") == NOTHING
    page = admin.get(acme.url("search/?q=disk+space")).text
    way = re.findall(r'href="([^"]*/alerts/[^"]*)"', page[page.index("No record matches") :])
    assert "Disk space is low" in admin.get(unescape(way[0])).text


@pytest.mark.one_database
def test_every_page_and_what_stands_in_its_head_is_found_by_its_name(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    def found(text: str) -> set[str]:
        """Where the pages and the actions lead to that the palette lists."""
        page = owner.get(acme.url("search/"), query_string={"q": text}).text
        names = r'id="found-\d+">(Pages|Actions)<.*?</section>'
        parts = "".join(each[0] for each in re.finditer(names, page, re.DOTALL))
        return {unescape(each) for each in re.findall(r'(?:href|action)="([^"]+)"', parts)}

    menu = re.findall(
        r'nav-item-link" href="([^"]+)".*?<span>([^<]+)</span>', owner.get(acme.url()).text
    )
    assert len(menu) > 20
    ways: list[tuple[str, str, str]] = []
    for page, name in menu:
        assert page in found(name.removeprefix("All ")), name
        html = owner.get(page).text
        head = html.partition('id="page-actions">')[2].partition("</header>")[0]
        plain = re.sub(r"<svg.*?</svg>|<span.*?</span>", "", head, flags=re.DOTALL)
        ways += [(name, *each) for each in [*LINK.findall(plain), *FORM.findall(plain)]]
    assert len(ways) > 20
    lost = [f"{text.strip()}: {name}, {way}" for name, way, text in ways if way not in found(text)]
    assert "\n".join(lost) == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("watch", "Watches"),
        ("views", "Views"),
        ("calendar", "Calendar links"),
        ("subscriber", "Subscribers"),
        ("report", "Month reports"),
        ("help", "Help"),
        ("sync status", "Sync the status of agents"),
        ("export audit", "Export the audit trail"),
    ],
)
@pytest.mark.one_database
def test_pages_that_are_not_in_the_menu_are_found(
    owner: FlaskClient, acme: Place, text: str, name: str
) -> None:
    found = find(owner, acme, text)
    assert name in [*found.get("Pages", ()), *found.get("Actions", ())]


def test_nothing_of_other_clients_is_found(app: Flask, http: FlaskClient, acme: Place) -> None:
    neighbour = make_neighbour(app, acme)
    sign_in(app, http, limited_user(app, acme, acme.client))
    http.set_cookie("recent", f"assets-{neighbour.asset}", path=acme.url())

    assert find(http, acme, "zebra") == NOTHING
    assert "Recent" not in find(http, acme)


@pytest.mark.one_database
def test_what_was_opened_last_is_suggested(app: Flask, admin: FlaskClient, acme: Place) -> None:
    for path in (f"assets/{acme.asset}", f"clients/{acme.client}", f"assets/{acme.asset}"):
        admin.get(acme.url(path))
    assert find(admin, acme)["Recent"] == ["acme-pc", "Acme Client"]

    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(Client, acme.client).name = "Renamed"
    assert find(admin, acme)["Recent"] == ["acme-pc", "Renamed"]

    admin.set_cookie(
        "recent", "1:assets-x.nothing-1..clients-99999999999999999999", path=acme.url()
    )
    assert "Recent" not in find(admin, acme), "whatever the cookie says"
