"""Software across the fleet, of one title, of one asset, and the exports."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import AssetSoftware, SoftwareProduct, SoftwareTitle
from portal.scope import tenant_scope
from portal.sync.software.products import place_titles
from portal.sync.software.store import refresh_counts
from tests.web.world import Place

pytestmark = pytest.mark.mainly("postgresql")

HOSTILE = "<script>alert(1)</script>"
VERSIONS = ("9.11", "10.2", "10.10", "", "unknown")


@pytest.fixture
def product(app: Flask, acme: Place) -> int:
    """In two titles and many versions on one asset, one of them gone; and one that all lost."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        made, named, lost = (
            SoftwareTitle(name=f"{HOSTILE} Zed", normalized_name="zed", publisher="=HYPERLINK()"),
            SoftwareTitle(name=f"{HOSTILE} Zed 8.5 (x64)", normalized_name="zed 8.5"),
            SoftwareTitle(name="Lost", normalized_name="lost"),
        )
        session.add_all((made, named, lost))
        session.flush()
        same = {"asset_id": acme.asset, "first_seen_at": utc_now()}
        session.add_all(
            AssetSoftware(title_id=made.id, version=version, **same) for version in VERSIONS
        )
        session.add(AssetSoftware(title_id=named.id, version="", **same))
        session.add(
            AssetSoftware(title_id=made.id, version="1.0-gone", removed_at=utc_now(), **same)
        )
        session.flush()
        refresh_counts(session, place_titles(session))
        session.refresh(made)
        assert made.product_id is not None
        return made.product_id


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
        ("sort=-older", {"Acme Suite", "Zed"}),
    ],
)
def test_list_and_export_show_the_same_products(
    admin: FlaskClient, acme: Place, product: int, query: str, found: set[str]
) -> None:
    page = admin.get(acme.url(f"software/?{query}")).text
    rows = list(
        csv.DictReader(io.StringIO(admin.get(acme.url(f"software/export.csv?{query}")).text))
    )

    assert {row["product"].removeprefix(HOSTILE).strip() for row in rows} == found
    assert ("No software matches" in page) == (not found)
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["", "", "10.10", "10.2", "9.11", "unknown"]),
        ("older_than=10.10", ["", "10.2", "9.11"]),
        ("older_than=nonsense", []),
        ("version=10.2", ["10.2"]),
        ("version=–", [""]),
        ("version=8.5", [""]),
        ("show=gone", ["1.0-gone"]),
        ("client_name=nobody", []),
        ("client_name=acme client&older_than=10", ["", "9.11"]),
    ],
)
def test_a_product_is_filtered_by_real_versions(
    admin: FlaskClient, acme: Place, product: int, query: str, found: list[str]
) -> None:
    page = admin.get(acme.url(f"software/products/{product}?{query}")).text
    export = admin.get(acme.url(f"software/products/{product}/export.csv?{query}")).text

    assert versions_of(export) == found
    assert ("No asset matches" in page) == (not found)
    assert HOSTILE not in page
    if found and query != "version=8.5":
        assert "'=HYPERLINK()" in export


@pytest.mark.one_database
def test_versions_come_newest_first_and_what_cannot_be_compared_is_told(
    admin: FlaskClient, acme: Place, product: int
) -> None:
    page = admin.get(acme.url(f"software/products/{product}?older_than=11")).text

    assert page.index(">10.10<") < page.index(">10.2<") < page.index(">9.11<") < page.index(">8.5<")
    assert "2 installs left out: the version cannot be compared." in page
    assert (
        "This is not a version"
        in admin.get(acme.url(f"software/products/{product}?older_than=x")).text
    )


def test_an_asset_shows_what_it_has_and_what_went(
    admin: FlaskClient, acme: Place, product: int
) -> None:
    path = acme.url(f"assets/{acme.asset}/software")

    assert "1.0-gone" not in admin.get(path).text
    assert "7 entries" in admin.get(path).text
    assert "1.0-gone" in admin.get(f"{path}?show=gone").text
    assert "9 entries" in admin.get(f"{path}?show=history").text
    assert "1 entry" in admin.get(f"{path}?q=10.10").text
    exports = {"show=history": 8, "": 7, "show=gone": 1, "q=10.10": 1, "q=gone&show=gone": 1}
    for query, rows in exports.items():
        assert f"software.csv{'?' if query else ''}" in admin.get(f"{path}?{query}").text
        assert len(versions_of(admin.get(f"{path}.csv?{query}").text)) == rows, query


@pytest.mark.one_database
def test_before_the_first_ingest_the_button_is_offered(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(SoftwareTitle, acme.title))
        session.delete(session.get_one(SoftwareProduct, acme.product))

    page = admin.get(acme.url("software/")).text

    assert "No software read yet" in page
    assert "/sync-runs/start/software" in page
    assert "Not read yet" in admin.get(acme.url(f"assets/{acme.asset}/software")).text


@pytest.mark.one_database
def test_a_product_shows_its_newest_version_and_how_many_are_older(
    admin: FlaskClient, acme: Place, product: int
) -> None:
    """In the list, on its page, and where the address of one of its titles leads."""
    older = f"software/products/{product}?older_than=10.10"
    assert acme.url(older) in admin.get(acme.url("software/?q=zed")).text
    page = admin.get(acme.url(f"software/products/{product}")).text
    assert "on 1 asset in 6 versions" in page
    assert "3 installs older than 10.10" in page
    assert "Listed as" in page
    title = admin.get(acme.url(f"software/{acme.title}?version=1.2&page=3"))
    assert title.location == acme.url(f"software/products/{acme.product}?version=1.2")
    assert admin.get(acme.url("software/products/4711")).status_code == 404
