"""What names say, read for those that were there before."""

from __future__ import annotations

import flask_migrate
import pytest
from flask import Flask

from tests.migrations.test_titles import put, put_many, read

BEFORE = "0078"
MANY = 1_001
"""More than are read at once."""


@pytest.fixture
def old(empty_app: Flask) -> Flask:
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
    return empty_app


@pytest.mark.usefixtures("old")
def test_names_that_are_there_are_read_and_it_can_be_taken_back() -> None:
    for _ in range(2):
        flask_migrate.upgrade()
        assert read(
            "SELECT company_words, company_plain, company_full, company_forms FROM clients "
            "WHERE id = 1 OR id > 1000 ORDER BY id"
        ) == [
            ("client 0", "client0", "client0", "ltd"),
            ("muller sohne", "mullersohne", "muellersoehne", "gmbh kg"),
        ]
        assert read(
            "SELECT company_words, company_plain, company_full, company_forms "
            "FROM rmm_organization_mappings"
        ) == [("mueller soehne", "muellersoehne", "muellersoehne", "")]
        assert read("SELECT count(*) FROM clients WHERE company_plain = ''") == [(0,)]
        flask_migrate.downgrade(revision=BEFORE)
