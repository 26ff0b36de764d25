"""The revision that gives the id of a removed asset to no other, on a database with assets."""

from __future__ import annotations

import flask_migrate
import pytest
from sqlalchemy import text

from portal.db import db
from tests.migrations.test_status import add


@pytest.mark.usefixtures("empty_app")
def test_assets_keep_what_hangs_on_them_and_their_ids() -> None:
    owner = {"tenant_id": 1, "integration_id": 1}
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
            software = connection.scalars(text("SELECT asset_id FROM asset_software ORDER BY id"))
            assert software.all() == [1, 2]
    flask_migrate.upgrade()
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":  # PostgreSQL counts by itself, from 1
            connection.execute(text("DELETE FROM asset_software WHERE asset_id = 2"))
            connection.execute(text("DELETE FROM assets WHERE id = 2"))
            add(connection, "assets", client_id=1, rmm_device_id="agent 3", **owner)
            assert connection.scalar(text("SELECT max(id) FROM assets")) == 3
