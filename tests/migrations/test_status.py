"""The revision that stores the moment of each look, on a database with assets and software."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Connection, MetaData, Table, insert, select

from portal.db import db
from portal.models import SoftwareTitle
from portal.scope import tenant_scope
from portal.services.assets.listing import AssetFilter, count_by_status, list_assets

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=9)
FILLING: dict[type, Any] = {str: "x", int: 0, bool: False, datetime: NOW, dict: {}}


@pytest.fixture
def old(empty_app: Flask) -> Flask:
    """An install of before, with a sweep of just now and assets of three kinds."""
    flask_migrate.upgrade(revision="0010")
    with db.engine.begin() as connection:
        add(connection, "tenants", id=1)
        add(connection, "rmm_integrations", id=1, tenant_id=1)
        add(connection, "clients", id=1, tenant_id=1)
        for number, (word, synced_at, gone) in enumerate(ASSETS, 1):
            row: dict[str, Any] = {
                "id": number,
                "tenant_id": 1,
                "integration_id": 1,
                "client_id": 1,
                "rmm_device_id": f"agent {number}",
                "reported_status": word,
                "last_rmm_sync_at": synced_at,
                "online_until": LONG_AGO,
                "overdue_from": LONG_AGO,
                "missing_since": gone,
            }
            add(connection, "assets", **row)
        for title, assets in TITLES.items():
            add(connection, "software_catalog", id=title, tenant_id=1,
                normalized_name=f"title {title}",
                asset_count=len(assets), version_count=len(assets))  # fmt: skip
            for asset in assets:
                add(connection, "asset_software", id=10 * title + asset, tenant_id=1,
                    asset_id=asset, title_id=title, version=f"{asset}.0")  # fmt: skip
    return empty_app


ASSETS = [("online", NOW, None), ("overdue", LONG_AGO, None), ("offline", LONG_AGO, LONG_AGO)]
"""Word, time of the last sync, missing since."""
TITLES = {1: [1, 2, 3], 2: [3], 3: [1, 2]}
"""Which assets have it."""


def add(connection: Connection, table: str, **values: Any) -> None:
    """A row; what must be there and is not named is filled with anything."""
    found = Table(table, MetaData(), autoload_with=connection)
    for column in found.columns:
        if not (column.nullable or column.server_default or column.primary_key):
            values.setdefault(column.name, FILLING[column.type.python_type])
    connection.execute(insert(found).values(values))


def test_the_word_is_kept_with_the_time_of_the_last_look(old: Flask) -> None:
    flask_migrate.upgrade()
    with tenant_scope(1):
        words = {a.id: (a.agent_status, a.status_at) for a in list_assets(AssetFilter()).items}
        assert words == {1: ("online", NOW), 2: ("overdue", LONG_AGO)}
        counts = count_by_status()
        names = ("online", "overdue", "unknown", "missing", "total")
        assert [counts[name] for name in names] == [1, 0, 1, 1, 2]


def test_what_missing_assets_have_counts_no_more(old: Flask) -> None:
    flask_migrate.upgrade()
    with tenant_scope(1):
        shown = db.session.scalars(select(SoftwareTitle))
        found = {title.id: (title.asset_count, title.version_count) for title in shown}
        assert found == {1: (2, 2), 2: (0, 0), 3: (2, 2)}
