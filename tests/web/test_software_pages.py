"""Software across the fleet, of one title, of one asset, and the exports."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import AssetSoftware, SoftwareTitle
from portal.scope import tenant_scope
from tests.web.world import Place

HOSTILE = "<script>alert(1)</script>"
VERSIONS = ("9.11", "10.2", "10.10", "", "unknown")


@pytest.fixture
def title(app: Flask, acme: Place) -> int:
    """A title in many versions on one asset, one of them gone, and a title that all lost."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        made = SoftwareTitle(
            name=f"{HOSTILE} Zed",
            normalized_name="zed",
            publisher="=HYPERLINK()",
            asset_count=1,
            version_count=len(VERSIONS),
        )
        lost = SoftwareTitle(name="Lost", normalized_name="lost")
        session.add_all((made, lost))
        session.flush()
        same = {"asset_id": acme.asset, "title_id": made.id, "first_seen_at": utc_now()}
        session.add_all(AssetSoftware(version=version, **same) for version in VERSIONS)
        session.add(AssetSoftware(version="1.0-gone", removed_at=utc_now(), **same))
        return made.id


def versions_of(text: str) -> list[str]:
    return sorted(row["version"] for row in csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Acme Suite", "Zed"}),
        ("q=zed", {"Zed"}),
        ("q=acme+PUBLISHER", {"Acme Suite"}),
        ("show=all", {"Acme Suite", "Zed", "Lost"}),
        ("q=nothing", set()),
        ("sort=-versions", {"Acme Suite", "Zed"}),
    ],
)
def test_list_and_export_show_the_same_titles(
    admin: FlaskClient, acme: Place, title: int, query: str, found: set[str]
) -> None:
    page = admin.get(acme.url(f"software/?{query}")).text
    rows = list(
        csv.DictReader(io.StringIO(admin.get(acme.url(f"software/export.csv?{query}")).text))
    )

    assert {row["name"].removeprefix(HOSTILE).strip() for row in rows} == found
    assert ("No software matches" in page) == (not found)
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["", "10.10", "10.2", "9.11", "unknown"]),
        ("older_than=10.10", ["10.2", "9.11"]),
        ("older_than=nonsense", []),
        ("version=10.2", ["10.2"]),
        ("version=–", [""]),
        ("show=gone", ["1.0-gone"]),
        ("client_name=nobody", []),
        ("client_name=acme client&older_than=10", ["9.11"]),
    ],
)
def test_a_title_is_filtered_by_real_versions(
    admin: FlaskClient, acme: Place, title: int, query: str, found: list[str]
) -> None:
    page = admin.get(acme.url(f"software/{title}?{query}")).text
    export = admin.get(acme.url(f"software/{title}/export.csv?{query}")).text

    assert versions_of(export) == found
    assert ("No asset matches" in page) == (not found)
    assert HOSTILE not in page
    if found:
        assert "'=HYPERLINK()" in export


@pytest.mark.one_database
def test_versions_come_newest_first_and_what_cannot_be_compared_is_told(
    admin: FlaskClient, acme: Place, title: int
) -> None:
    page = admin.get(acme.url(f"software/{title}?older_than=11")).text

    assert page.index(">10.10<") < page.index(">10.2<") < page.index(">9.11<")
    assert "2 installs left out: the version cannot be compared." in page
    assert "This is not a version" in admin.get(acme.url(f"software/{title}?older_than=x")).text


def test_an_asset_shows_what_it_has_and_what_went(
    admin: FlaskClient, acme: Place, title: int
) -> None:
    path = acme.url(f"assets/{acme.asset}/software")

    assert "1.0-gone" not in admin.get(path).text
    assert "6 entries" in admin.get(path).text
    assert "1.0-gone" in admin.get(f"{path}?show=gone").text
    assert "8 entries" in admin.get(f"{path}?show=history").text
    assert "1 entry" in admin.get(f"{path}?q=10.10").text
    exports = {"show=history": 7, "": 6, "show=gone": 1, "q=10.10": 1, "q=gone&show=gone": 1}
    for query, rows in exports.items():
        assert f"software.csv{'?' if query else ''}" in admin.get(f"{path}?{query}").text
        assert len(versions_of(admin.get(f"{path}.csv?{query}").text)) == rows, query


@pytest.mark.one_database
def test_before_the_first_ingest_the_button_is_offered(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(SoftwareTitle, acme.title))

    page = admin.get(acme.url("software/")).text

    assert "No software read yet" in page
    assert "/sync-runs/start/software" in page
    assert "Not read yet" in admin.get(acme.url(f"assets/{acme.asset}/software")).text
