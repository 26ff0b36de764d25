"""What names say, read for those that were there before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask

from portal import create_app
from portal.config import read_settings
from portal.db import db
from portal.scope import all_tenants
from tests.migrations.test_titles import put, put_many, read
from tests.support.keys import KEYS

BEFORE = "0078"
MANY = 1_001
"""More than are read at once."""


@pytest.fixture
def old(empty_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    environ = {**KEYS, "DATABASE_URL": empty_database_url, "PORTAL_DATA_DIR": str(tmp_path)}
    app = create_app(read_settings(environ))
    with app.app_context(), all_tenants():
        flask_migrate.upgrade(revision=BEFORE)
        for tenant_id in (1, 2):
            put("tenants", id=tenant_id, name=f"T{tenant_id}", slug=f"t{tenant_id}")
        put("rmm_integrations", id=1, tenant_id=2)
        names = [f"Client {number} Ltd" for number in range(MANY - 1)]
        put_many(
            "clients",
            [
                {"id": number, "tenant_id": 1 + number % 2, "name": name, "name_key": name}
                for number, name in enumerate([*names, "Müller & Söhne GmbH & Co. KG"], 1)
            ],
        )
        put("rmm_organization_mappings", id=1, tenant_id=2, integration_id=1,
            external_organization_name="MUELLER und Soehne")  # fmt: skip
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.usefixtures("old")
def test_names_that_are_there_are_read_and_it_can_be_taken_back() -> None:
    columns = "company_words, company_plain, company_full, company_forms"
    for _ in range(2):
        flask_migrate.upgrade()
        assert read(f"SELECT {columns} FROM clients WHERE id IN (1, {MANY}) ORDER BY id") == [  # noqa: S608
            ("client 0", "client0", "client0", "ltd"),
            ("muller sohne", "mullersohne", "muellersoehne", "gmbh kg"),
        ]
        assert read(f"SELECT {columns} FROM rmm_organization_mappings") == [  # noqa: S608
            ("mueller soehne", "muellersoehne", "muellersoehne", "")
        ]
        assert read("SELECT count(*) FROM clients WHERE company_plain = ''") == [(0,)]
        flask_migrate.downgrade(revision=BEFORE)
