"""Clients: made, renamed, looked at, deleted when nothing hangs on them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetSoftware,
    Client,
    OrganizationMapping,
    SoftwareTitle,
)
from portal.models.alerts.alert import AlertStatus, Severity
from portal.models.assets.change import ChangeAction
from portal.scope import tenant_scope
from portal.services.software import of_client
from portal.sync.software.products import place_titles
from portal.sync.software.store import refresh_counts
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_alert, make_asset, sign_in

pytestmark = pytest.mark.one_database


def test_the_list_is_exported(admin: FlaskClient, acme: Place) -> None:
    lines = admin.get(acme.url("clients/export.csv?q=acme")).text.splitlines()
    assert lines == ["client_id,client,assets,organizations", f"{acme.client},Acme Client,1,1"]
    assert len(admin.get(acme.url("clients/export.csv?q=nobody")).text.splitlines()) == 1


def test_a_client_is_made_renamed_and_deleted(admin: FlaskClient, acme: Place) -> None:
    made = admin.post(acme.url("clients/new"), data={"name": " Globex   Ltd "})
    page = admin.get(made.location).text
    assert "<title>Globex Ltd" in page
    assert "Added Globex Ltd." in page

    renamed = admin.post(f"{made.location}/edit", data={"name": "Initech"})
    assert renamed.location == made.location
    assert "Initech" in admin.get(acme.url("clients/")).text

    deleted = admin.post(f"{made.location}/delete")
    assert deleted.location == acme.url("clients/")
    assert admin.get(made.location).status_code == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("  ", "Enter a name for the client."),
        ("ACME  client", "A client named Acme Client already exists. Choose another name."),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_a_name_that_cannot_be_is_kept_in_the_form(
    admin: FlaskClient, acme: Place, name: str, words: str
) -> None:
    answer = admin.post(acme.url("clients/new"), data={"name": name})

    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{name}"' in answer.text


def test_a_client_with_assets_stays(admin: FlaskClient, acme: Place) -> None:
    answer = admin.post(acme.url(f"clients/{acme.client}/delete"), follow_redirects=True)

    assert "Acme Client cannot be deleted: it has 1 asset and 1 mapped organization." in answer.text
    assert answer.request.path == acme.url(f"clients/{acme.client}")


def test_the_picker_finds_by_part_of_a_name(admin: FlaskClient, acme: Place) -> None:
    answer = admin.get(acme.url("clients/picker?q=CLI")).json

    assert answer == {
        "total": 1,
        "options": [{"id": acme.client, "name": "Acme Client", "note": "1 asset"}],
    }
    assert admin.get(acme.url("clients/picker?q=%25")).json == {"total": 0, "options": []}


def test_from_its_last_changes_one_gets_to_all_of_them(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        own = session.get_one(Asset, acme.asset)
        other = Client(name="Other Client")
        session.add(other)
        session.flush()
        elsewhere = make_asset(own.integration_id, other.id, "elsewhere")
        session.add(elsewhere)
        session.flush()
        for ago in (1, 2, 3, 4, 5, 6, 7, 8, 9, 200):
            for asset in (own, elsewhere):
                its = AssetChange(asset_id=asset.id, column="name", cause="button")
                its.action, its.at = ChangeAction.UPDATED, utc_now() - timedelta(days=ago)
                its.before, its.after = f"{asset.name}-{ago}", asset.name
                session.add(its)
        other_id = other.id

    where = acme.url(f"clients/{acme.client}/history")
    first = admin.get(acme.url(f"clients/{acme.client}")).text
    assert f'href="{acme.url(f"assets/?client_id={acme.client}&amp;type=server")}"' in first
    assert first.count(f'href="{where}"') == 2, "a tab, and at the last changes"
    assert first.count("Renamed from acme-pc-") == 8
    whole = admin.get(where).text
    assert whole.count("Renamed from acme-pc-") == 10
    assert whole.count("Added") == 1
    assert "elsewhere" not in whole

    limited = app.test_client()
    sign_in(app, limited, limited_user(app, acme, acme.client))
    assert limited.get(where).text.count("Renamed from acme-pc-") == 10
    assert limited.get(acme.url(f"clients/{other_id}/history")).status_code == 404
    assert "No changes yet" not in whole


@pytest.fixture
def other(app: Flask, acme: Place) -> int:
    """Another client, whose computer has newer software than that of acme's."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(client := Client(name="Other Client"))
        session.flush()
        first = session.get_one(Asset, acme.asset)
        asset = make_asset(first.integration_id, client.id, "other-pc")
        session.add(asset)
        session.flush()
        for name, *installs in (
            ("Reader", (acme.asset, "9.2"), (acme.asset, "10.0"), (asset.id, "10.0")),
            ("Editor", (acme.asset, "3.0"), (asset.id, "2.0")),
            ("Viewer", (acme.asset, "1.0")),
        ):
            session.add(title := SoftwareTitle(name=name, normalized_name=name.casefold()))
            session.flush()
            for asset_id, version in installs:
                row = AssetSoftware(asset_id=asset_id, title_id=title.id, version=version)
                row.first_seen_at = utc_now()
                session.add(row)
        session.flush()
        refresh_counts(session, place_titles(session))
        return client.id


def test_its_software_that_is_behind_and_that_nobody_else_has(
    admin: FlaskClient, acme: Place, other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(client_id: int, query: str = "") -> dict[str, list[str]]:
        page = admin.get(acme.url(f"clients/{client_id}/software{query}")).text
        parts = dict(zip(("behind", "own"), page.split("Only at this client</h2>"), strict=False))
        return {
            name: [
                " ".join(re.sub(r"<[^>]*>", " ", row).split())
                for row in re.findall("<tr>(.*?)</tr>", part, re.DOTALL)
                if "<td" in row
            ]
            for name, part in parts.items()
        } | {"page": [page]}

    acme_has = read(acme.client)
    assert acme_has["behind"] == ["Reader 1 of 2 from 9.2 newest 10.0"]
    assert [row.split()[0] for row in acme_has["own"]] == ["Acme", "Viewer"]
    assert "Compared:" not in acme_has["page"][0]
    other_has = read(other)
    assert other_has["behind"] == ["Editor 1 of 1 from 2.0 newest 3.0"]
    assert other_has["own"] == []
    assert "is installed at another client too" in other_has["page"][0]

    monkeypatch.setattr(of_client, "LOOKED_AT", 1)
    monkeypatch.setattr("portal.web.clients.software.LOOKED_AT", 1)
    few = "Compared: the 1 products with several versions that most of its assets have."
    assert few in read(acme.client)["page"][0]


def test_its_organizations_with_their_sites_and_what_was_given_to_it_by_hand(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        first = session.get_one(Asset, acme.asset)
        organization = first.rmm_organization_id
        for number in range(12):
            asset = make_asset(first.integration_id, acme.client, f"pc-{number}")
            asset.site_name = f"Site {number:02}"
            session.add(asset)
        given = make_asset(first.integration_id, acme.client, "given-pc")
        given.rmm_organization_id = "4711"
        gone = make_asset(first.integration_id, acme.client, "gone-pc")
        gone.missing_since, gone.site_name = utc_now(), "Left"
        session.add_all((given, gone))
    page = admin.get(acme.url(f"clients/{acme.client}")).text
    places = page.partition("Organizations and sites</h2>")[2].partition("</section>")[0]
    words = " ".join(re.sub(r"<[^>]*>", " ", places).split())
    assert acme.url("organizations/?q=Acme+Organization") in places.replace("%20", "+")
    assert "Acme Organization 13 No site" in words
    where = f"assets/?client_id={acme.client}&amp;organization={organization}&amp;site=Site+03"
    assert acme.url(where) in places.replace("%20", "+")
    assert "3 more sites" in words
    assert words.index("Site 08") < words.index("more sites") < words.index("Site 11")
    assert "Given to Acme Client by hand 1" in words
    assert "Left" not in words


def count_listed(http: FlaskClient, address: str) -> int:
    """How many rows a list has, as it says itself."""
    found = re.search(
        r'aria-label="Pages">.*?([\d,]+) (?:asset|alert)s?\b', get(http, address), re.S
    )
    return int(found[1].replace(",", "")) if found else 0


def get(http: FlaskClient, address: str) -> str:
    answer = http.get(html.unescape(address))
    assert answer.status_code == 200, address
    return answer.text


@pytest.mark.parametrize("has_assets", [True, False])
def test_every_number_is_that_of_the_list_it_leads_to(
    app: Flask, admin: FlaskClient, acme: Place, has_assets: bool
) -> None:
    """Also with alerts of computers that are no assets, of a client that may have none at all, with
    sites of one name in two organizations, and with what came long ago."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        first = session.get_one(Asset, acme.asset)
        linked = session.get_one(Alert, acme.alert)
        session.add(client := Client(name="Numbered"))
        session.flush()
        for organization in ("71", "72"):
            session.add(
                OrganizationMapping(
                    integration_id=first.integration_id,
                    external_organization_id=organization,
                    external_organization_name=f"Numbered {organization}",
                    client_id=client.id,
                )
            )
            for site in ("Main", "Main", None) if has_assets else ():
                asset = make_asset(first.integration_id, client.id, f"pc-{uuid4().hex}")
                asset.rmm_organization_id, asset.site_name = organization, site
                asset.created_at = utc_now() - timedelta(days=60 if site else 2)
                session.add(asset)
        for number, (severity, status) in enumerate(
            [
                *[(Severity.ERROR, AlertStatus.ACTIVE)] * 4,
                *[(Severity.WARNING, AlertStatus.ACTIVE)] * 2,
                (Severity.ERROR, AlertStatus.RESOLVED),
            ]
        ):
            alert = make_alert(first)
            alert.external_alert_id, alert.asset_id = f"no-asset-{number}", None
            alert.external_organization_id = "71"
            alert.severity, alert.status = severity, status
            session.add(alert)
        linked.severity = Severity.INFO
        client_id = client.id

    page = get(admin, acme.url(f"clients/{client_id}"))
    numbers = re.findall(
        r'<a class="count[^"]*" href="([^"]+)">\s*<span class="count-number[^"]*">([\d,]+)', page
    )
    numbers += re.findall(r'href="([^"]+)">All ([\d,]+)<', page)
    numbers += re.findall(
        r'<li><a class="quiet-link" href="([^"]+)">.*?client-number">(\d+)<', page
    )
    listed = get(admin, acme.url("clients/"))
    [row] = [each for each in re.findall(r"<tr.*?</tr>", listed, re.S) if "Numbered" in each]
    numbers += re.findall(r'href="([^"]+/alerts/[^"]+)"[^>]*>([\d,]+)<', row)
    worst = get(admin, acme.url()).partition("Clients that need most")[2]
    [row] = [each for each in re.findall(r"<tr.*?</tr>", worst, re.S) if "Numbered" in each]
    errors = re.findall(r'href="([^"]+severity=error[^"]*)"[^>]*>(\d+) errors?', row)
    assert [number for _link, number in errors] == ["4"]
    numbers += errors

    told = {html.unescape(link).partition(acme.url())[2]: int(text) for link, text in numbers}
    of_alerts = {link: found for link, found in told.items() if link.startswith("alerts/")}
    assert set(of_alerts.values()) >= {6, 4}
    if has_assets:
        assert told[f"assets/?client_id={client_id}&new=30d"] == 2
        assert told[f"assets/?client_id={client_id}&organization=72&nosite=yes"] == 1
        assert told[f"assets/?client_id={client_id}&organization=71&site=Main"] == 2
    for link, found in told.items():
        assert count_listed(admin, acme.url(link)) == found, link
