"""Joining titles that differ in their publisher's spelling, on databases with rows in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import MetaData, Table, text

from portal.db import db

BEFORE = "0011"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
TITLES = [
    (1, 1, "Chrome", "Google LLC"),
    (2, 1, "CHROME", "GOOGLE LLC"),
    (3, 1, "Chrome", "google  llc"),
    (4, 1, "Chrome", ""),
    (5, 1, "Reader", "Adobe"),
    (6, 2, "Chrome", "GOOGLE LLC"),
]
GONE = MOMENT + timedelta(days=1)
INSTALLS = [
    (1, 1, 1, "1.0", GONE),  # there, and removed: the one in capitals is installed
    (2, 1, 2, "1.0", None),
    (3, 2, 1, "1.0", None),
    (4, 2, 3, "2.0", None),
    (5, 2, 4, "1.0", None),
    (6, 1, 5, "1.0", None),
]


@pytest.fixture
def old(empty_app: Flask) -> Flask:
    """An install of before, with two assets."""
    flask_migrate.upgrade(revision=BEFORE)
    fill()
    return empty_app


def fill() -> None:
    for tenant_id in (1, 2):
        put("tenants", id=tenant_id, name=f"T{tenant_id}", slug=f"t{tenant_id}")
    put("rmm_integrations", id=1, tenant_id=1)
    put("clients", id=1, tenant_id=1)
    for asset_id in (1, 2):
        values: dict[str, Any] = {"tenant_id": 1, "integration_id": 1, "client_id": 1}
        put("assets", id=asset_id, rmm_device_id=f"agent {asset_id}", **values)
    for title_id, tenant_id, name, publisher in TITLES:
        values = {"normalized_name": name.lower(), "publisher": publisher}
        put("software_catalog", id=title_id, tenant_id=tenant_id, name=name, **values)
    for install_id, asset_id, title_id, version, removed_at in INSTALLS:
        values = {"asset_id": asset_id, "title_id": title_id, "version": version}
        put("asset_software", id=install_id, tenant_id=1, removed_at=removed_at, **values)


def put(table_name: str, **values: Any) -> None:
    put_many(table_name, [values])


def put_many(table_name: str, rows: list[dict[str, Any]]) -> None:
    """Rows of a table as it was; where they must have a value and none is given, any."""
    table = Table(table_name, MetaData(), autoload_with=db.engine)
    fillers: dict[type, Any] = {str: "", int: 0, bool: False, datetime: MOMENT}
    needed = {
        column.name: fillers[column.type.python_type]
        for column in table.columns
        if not column.nullable and column.server_default is None
    }
    with db.engine.begin() as connection:
        connection.execute(table.insert(), [needed | values for values in rows])


def read(statement: str) -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


@pytest.mark.usefixtures("old")
def test_titles_that_differ_in_spelling_become_one() -> None:
    flask_migrate.upgrade()
    assert read("SELECT id, publisher, normalized_publisher FROM software_catalog ORDER BY id") == [
        (1, "Google LLC", "google llc"),
        (4, "", ""),
        (5, "Adobe", "adobe"),
        (6, "GOOGLE LLC", "google llc"),
    ]
    installs = "SELECT asset_id, title_id, version, removed_at FROM asset_software ORDER BY id"
    assert read(installs) == [
        (1, 1, "1.0", None),
        (2, 1, "1.0", None),
        (2, 1, "2.0", None),
        (2, 4, "1.0", None),
        (1, 5, "1.0", None),
    ]
    counts = "SELECT asset_count, version_count FROM software_catalog WHERE id = 1"
    assert read(counts) == [(2, 2)]


@pytest.mark.usefixtures("old")
def test_titles_that_differ_in_a_version_have_one_product() -> None:
    put("software_catalog", id=7, tenant_id=1, name="Reader 2.0 (x64)", normalized_name="7")
    put("asset_software", id=7, tenant_id=1, asset_id=1, title_id=7, version="", removed_at=None)
    flask_migrate.upgrade()
    found = (
        "SELECT p.tenant_id, p.name, p.publisher_key, p.asset_count, p.install_count,"
        " p.version_count, p.newest_version, p.older_count, count(t.id)"
        " FROM software_products p JOIN software_catalog t ON t.product_id = p.id"
        " GROUP BY p.id ORDER BY p.tenant_id, p.name"
    )
    assert read(found) == [
        (1, "Chrome", "google", 2, 4, 2, "2.0", 3, 2),
        (1, "Reader", "adobe", 1, 2, 2, "2.0", 1, 2),
        (2, "Chrome", "google", 0, 0, 0, "", 0, 1),
    ]


@pytest.mark.usefixtures("old")
def test_all_products_of_a_publisher_spell_it_one_way() -> None:
    made = [
        (7, 1, "Drive", "GOOGLE LLC"),
        (8, 1, "Earth", "Google"),
        (9, 1, "Maps", "Google"),
        (10, 2, "Maps", "Google"),
    ]
    flask_migrate.upgrade(revision="0076")
    for id_, tenant_id, name, publisher in made:
        keys = {"name_key": name.lower(), "publisher_key": "google"}
        put(
            "software_products", id=id_, tenant_id=tenant_id, name=name, publisher=publisher, **keys
        )
        values = {"normalized_name": name.lower(), "publisher": publisher, "product_id": id_}
        put("software_catalog", id=id_, tenant_id=tenant_id, name=name, **values)
    flask_migrate.upgrade()
    found = "SELECT tenant_id, name, publisher FROM software_products ORDER BY tenant_id, name"
    assert [row for row in read(found) if row[1] != "Reader"] == [
        (1, "Chrome", "Google"),
        (1, "Drive", "Google"),
        (1, "Earth", "Google"),
        (1, "Maps", "Google"),
        (2, "Chrome", "Google"),
        (2, "Maps", "Google"),
    ]


@pytest.mark.usefixtures("old")
def test_it_can_be_taken_back() -> None:
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision=BEFORE)
    assert len(read("SELECT id FROM software_catalog")) == 4
    flask_migrate.upgrade()
    assert len(read("SELECT id FROM asset_software")) == 5
