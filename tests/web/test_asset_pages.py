"""The list of assets, its export, and the page of one."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Asset, OrganizationMapping
from portal.scope import tenant_scope
from portal.services.assets.listing import get_asset
from portal.services.integrations.current import get_integration
from portal.services.lists.paging import PAGE_SIZE
from tests.web.conftest import HTMX
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_alert, make_asset, make_user, sign_in

QUIET = timedelta(days=2)


@pytest.fixture
def fleet(app: Flask, acme: Place) -> list[str]:
    """More than a page of assets beside acme-pc."""
    facts = {"site_name": "HQ", "os_type": "linux", "asset_type": "server"}
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = get_integration().id
        rows = [
            make_asset(integration, acme.client, f"srv-{number:03}", **facts)
            for number in range(PAGE_SIZE + 5)
        ]
        rows[0].agent_status, rows[0].last_seen_at = "overdue", utc_now() - QUIET
        rows[1].current_user = "=cmd|' /C calc'!A0"
        session.add_all(rows)
        return [row.name for row in rows]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", PAGE_SIZE + 6),
        ("type=server", PAGE_SIZE + 5),
        ("type=workstation", 1),
        ("status=overdue", 1),
        ("q=srv-00", 10),
        ("q=SRV hq", 0),
        ("site=HQ&os=linux", PAGE_SIZE + 5),
        ("client_name=acme client", PAGE_SIZE + 6),
        ("client_name=nobody", 0),
    ],
)
def test_list_and_export_show_the_same(
    admin: FlaskClient, acme: Place, fleet: list[str], query: str, count: int
) -> None:
    page = admin.get(acme.url(f"assets/?{query}"))
    export = admin.get(acme.url(f"assets/export.csv?{query}"))

    assert len(rows_of(export.text)) == count
    if count == 0:
        assert "No asset matches" in page.text
    elif count > PAGE_SIZE:
        assert f"1–{PAGE_SIZE} of {count} assets" in page.text
    else:
        assert f"{count} asset" in page.text


@pytest.mark.one_database
def test_the_exact_version_of_a_system_stands_beside_its_name(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    for kind, version, shown in (
        ("windows", "Windows 11 Pro, 64 bit v23H2 (build 22631.4460)", "v23H2 22631.4460"),
        ("darwin", "macOS 14.5", ""),
        ("linux", "", ""),
    ):
        with app.app_context(), tenant_scope(acme.id), transaction() as session:
            asset = session.get_one(Asset, acme.asset)
            asset.os_type, asset.os_version = kind, version
        rows = admin.get(acme.url("assets/?columns=os")).text.partition("<tbody>")[2]
        cell = rows.partition("</th>")[2].partition("</td>")[0]
        name = " ".join(re.sub("<[^>]*>", "", cell).split()).removesuffix(shown).strip()
        exact = f'<span class="system-version">{shown}</span>'
        assert name == {"windows": "Windows 11 Pro", "darwin": "darwin macOS 14.5"}.get(kind, kind)
        assert (exact in cell) == bool(shown)


@pytest.mark.one_database
def test_the_export_is_a_safe_file(admin: FlaskClient, acme: Place, fleet: list[str]) -> None:
    answer = admin.get(acme.url("assets/export.csv?sort=-name"))
    rows = rows_of(answer.text)

    assert answer.mimetype == "text/csv"
    assert f"assets-acme-{utc_now():%Y-%m-%d}.csv" in answer.headers["Content-Disposition"]
    assert {row["current_user"] for row in rows} == {"", "'=cmd|' /C calc'!A0"}
    assert {row["client"] for row in rows} == {"Acme Client"}


@pytest.mark.one_database
def test_the_export_link_keeps_the_filters(
    admin: FlaskClient, acme: Place, fleet: list[str]
) -> None:
    query = "q=srv&status=online"
    region = HTMX | {"HX-Target": "asset-rows"}
    for headers in ({}, region):
        text = admin.get(acme.url(f"assets/?{query}"), headers=headers).text
        assert f'href="/t/acme/assets/export.csv?{query.replace("&", "&amp;")}"' in text


@pytest.mark.one_database
def test_pages_and_order_are_in_the_address(
    admin: FlaskClient, acme: Place, fleet: list[str]
) -> None:
    first = admin.get(acme.url("assets/?sort=-name")).text
    last = admin.get(acme.url("assets/?sort=-name&page=99")).text

    assert fleet[-1] in first
    assert "acme-pc" not in first
    assert "acme-pc" in last
    assert "Page 2 of 2" in last
    assert 'aria-sort="descending"' in first


@pytest.mark.one_database
def test_counts_are_under_the_other_filters(
    admin: FlaskClient, acme: Place, fleet: list[str]
) -> None:
    text = admin.get(acme.url("assets/?type=server&status=overdue")).text

    assert f'All <span class="chip-number">{PAGE_SIZE + 5}</span>' in text
    assert 'Overdue <span class="chip-number">1</span>' in text


def test_an_asset_tells_how_old_its_facts_are(admin: FlaskClient, acme: Place) -> None:
    text = admin.get(acme.url(f"assets/{acme.asset}")).text

    assert "as of <time" in text
    assert "Refresh" in text
    assert "No longer refreshed" not in text


@pytest.mark.one_database
def test_an_overdue_asset_is_said_not_to_be_reachable(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        asset.agent_status, asset.last_seen_at = "overdue", utc_now() - QUIET

    assert "Not reachable" in admin.get(acme.url(f"assets/{acme.asset}")).text


@pytest.mark.one_database
def test_an_unmapped_asset_says_why_and_offers_no_refresh(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(OrganizationMapping, acme.organization).client_id = None

    text = admin.get(acme.url(f"assets/{acme.asset}")).text

    assert "The organization Acme Organization is not mapped." in text
    assert "/refresh" not in text


@pytest.mark.one_database
def test_a_refresh_is_asked_for_once(admin: FlaskClient, acme: Place) -> None:
    url = acme.url(f"assets/{acme.asset}/refresh")
    first, second = (admin.post(url, headers=HTMX).text for _ in range(2))

    assert "Waiting for a worker" in first
    assert admin.get(acme.url("sync-runs/?kind=agent")).text.count("One agent <") == 1
    assert "progress-panel" in second
    assert admin.post(url).location == acme.url(f"assets/{acme.asset}")


@pytest.mark.one_database
def test_the_way_back_and_on_is_that_of_the_list(
    admin: FlaskClient, acme: Place, fleet: list[str]
) -> None:
    page = admin.get(acme.url("assets/?q=srv&sort=-name&page=2")).text
    opened = re.search(rf'href="([^"]*)" title="{fleet[1]}">', page)
    assert opened
    overview = admin.get(html.unescape(opened[1])).text
    following = re.search(r'href="([^"]*)" rel="next"', overview)
    assert following

    assert 'href="/t/acme/assets/?q=srv&amp;sort=-name&amp;page=2">54 of 55</a>' in overview
    assert 'rel="prev"' in overview
    last = admin.get(html.unescape(following[1])).text
    assert f"<h1>{fleet[0]}</h1>" in last
    assert 'rel="next"' not in last
    for spoilt in ("client_id%3Dx", "a%3D1%26" * 40, "client_name%3D%2500", "x" * 2000):
        answer = admin.get(acme.url(f"assets/{acme.asset}?list={spoilt}"))
        assert answer.status_code == 200
        assert "Next asset" not in answer.text or "%2500" in spoilt


@pytest.mark.one_database
def test_the_alerts_of_an_asset_are_the_list_of_alerts_for_it_alone(
    app: Flask, admin: FlaskClient, acme: Place, fleet: list[str]
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        other = session.scalar(select(Asset).where(Asset.name == fleet[0]))
        assert other is not None
        alert = make_alert(other)
        alert.external_alert_id, alert.message = "of another", "Of another computer"
        session.add(alert)
        other_id = other.id
    url = acme.url(f"assets/{acme.asset}/alerts")

    whole, rows = admin.get(url).text, admin.get(url, headers=HTMX | {"HX-Target": "alert-rows"})
    assert "Acknowledge" in rows.text
    assert f"/alerts/export.csv?asset_id={acme.asset}" in whole
    assert f'href="/t/acme/alerts/{acme.alert}"' in rows.text
    assert "Of another computer" not in whole
    assert "Of another computer" in admin.get(acme.url(f"assets/{other_id}/alerts")).text
    assert "No alert matches" in admin.get(f"{url}?q=nothing+like+it").text


@pytest.mark.one_database
def test_it_leads_to_tacticals_pages_of_its_agent(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    url = acme.url(f"assets/{acme.asset}")
    with app.app_context(), tenant_scope(acme.id):
        agent = get_asset(acme.asset).rmm_device_id
    page = admin.get(url).text
    assert f'href="https://rmm.acme.example/agents/{agent}"' in page
    assert f'href="https://rmm.acme.example/takecontrol/{agent}"' in page

    settings = acme.url("integrations/tacticalrmm/")
    assert admin.post(settings, data={"dashboard_url": "ftp://x"}).status_code == 422
    sent = {"dashboard_url": "desk.acme.example:8443/agents"}
    assert admin.post(settings, data=sent).status_code == 302
    assert "https://desk.acme.example:8443/agents/" in admin.get(url).text
    set_connection(app, acme, base_url="https://tactical.acme.example", dashboard_url="")
    page = admin.get(url).text
    assert "/takecontrol/" not in page
    assert "set the option “Address of Tactical&#39;s web interface”" in page

    set_connection(app, acme, dashboard_url="https://desk.acme.example")
    for role in ("viewer", "technician"):
        other = app.test_client()
        sign_in(app, other, make_user(app, f"{role}@acme.example", acme, role=role))
        for tab in ("", "/alerts", "/software", "/history"):
            page = other.get(f"{url}{tab}").text
            assert f'href="https://desk.acme.example/agents/{agent}"' in page
            assert ("/takecontrol/" in page) is (role == "technician")
    limited = app.test_client()
    sign_in(app, limited, limited_user(app, acme, acme.client))
    page = limited.get(url).text
    assert "desk.acme.example" not in page
    assert "Web interface" not in page


def set_connection(app: Flask, place: Place, **facts: str) -> None:
    with app.app_context(), tenant_scope(place.id), transaction():
        for name, value in facts.items():
            setattr(get_integration(), name, value)
