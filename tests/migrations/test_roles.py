"""The revision of the four roles, on a database with people of the two earlier ones."""

from __future__ import annotations

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import text

from portal.db import db
from tests.migrations.test_status import add


@pytest.fixture
def old(empty_app: Flask) -> Flask:
    flask_migrate.upgrade(revision="0025")
    with db.engine.begin() as connection:
        add(connection, "tenants", id=1)
        for number, role in enumerate(("admin", "viewer", "admin"), 1):
            add(connection, "users", id=number, email=f"{number}@acme.example")
            add(connection, "memberships", id=number, user_id=number, tenant_id=1, role=role)
    return empty_app


def list_roles() -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(text("SELECT role FROM memberships ORDER BY id")))


def set_roles(**roles: str) -> None:
    with db.engine.begin() as connection:
        for number, role in roles.items():
            values = {"number": int(number[1:]), "role": role}
            connection.execute(
                text("UPDATE memberships SET role = :role WHERE id = :number"), values
            )


@pytest.mark.usefixtures("old")
def test_admins_become_owners_and_everybody_keeps_a_place_when_it_is_taken_back() -> None:
    flask_migrate.upgrade(revision="0026")
    assert list_roles() == ["owner", "viewer", "owner"]
    set_roles(n2="technician", n3="admin")
    flask_migrate.downgrade(revision="0025")
    assert list_roles() == ["admin", "viewer", "admin"]
