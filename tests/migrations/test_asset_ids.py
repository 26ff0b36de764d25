"""The revision that gives the id of a removed asset to no other, on a database with assets."""

from __future__ import annotations

from pathlib import Path

import flask_migrate
from sqlalchemy import text

from portal import create_app
from portal.config import read_settings
from portal.db import db
from portal.scope import all_tenants
from tests.migrations.test_status import add
from tests.support.keys import KEYS


def test_assets_keep_what_hangs_on_them_and_their_ids(
    empty_database_url: str, tmp_path: Path
) -> None:
    environ = {**KEYS, "DATABASE_URL": empty_database_url, "PORTAL_DATA_DIR": str(tmp_path)}
    owner = {"tenant_id": 1, "integration_id": 1}
    with create_app(read_settings(environ)).app_context(), all_tenants():
        flask_migrate.upgrade(revision="0022")
        with db.engine.begin() as connection:
            add(connection, "tenants", id=1)
            add(connection, "rmm_integrations", id=1, tenant_id=1)
            add(connection, "clients", id=1, tenant_id=1)
            add(connection, "software_catalog", id=1, tenant_id=1)
            for number in (1, 2):
                add(connection, "assets", id=number, client_id=1, serial_number=f" sn-{number} ",
                    rmm_device_id=f"agent {number}", **owner)  # fmt: skip
                add(connection, "asset_software", id=number, tenant_id=1, asset_id=number,
                    title_id=1)  # fmt: skip
        for upgrade in (True, False):
            if upgrade:
                flask_migrate.upgrade(revision="0023")
            else:
                flask_migrate.downgrade(revision="0022")
            with db.engine.begin() as connection:
                keys = connection.scalars(text("SELECT serial_key FROM assets ORDER BY id")).all()
                assert keys == ["SN-1", "SN-2"]
                software = connection.scalars(
                    text("SELECT asset_id FROM asset_software ORDER BY id")
                )
                assert software.all() == [1, 2]
        flask_migrate.upgrade()
        with db.engine.begin() as connection:
            if connection.dialect.name == "sqlite":  # PostgreSQL counts by itself, from 1
                connection.execute(text("DELETE FROM asset_software WHERE asset_id = 2"))
                connection.execute(text("DELETE FROM assets WHERE id = 2"))
                add(connection, "assets", client_id=1, rmm_device_id="agent 3", **owner)
                assert connection.scalar(text("SELECT max(id) FROM assets")) == 3
        db.engine.dispose()
