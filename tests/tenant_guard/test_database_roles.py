"""An owner upgrades the database and a plain role runs the portal; or one role does both."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import flask_migrate
import pytest
import time_machine
from flask import Flask
from sqlalchemy import create_engine, select

from portal import create_app
from portal.clock import utc_now
from portal.config import Settings, read_settings
from portal.db import db
from portal.errors import ConfigError
from portal.models import AuditEntry, Client
from portal.scope import all_tenants, get_tenant_id, tenant_scope
from portal.services.audit import retention
from portal.services.audit.verification import verify
from portal.services.clients import add_client
from portal.services.database import (
    MIGRATIONS,
    close_database,
    get_head,
    prepare_database,
    upgrade_database,
)
from portal.services.database_role import find_role_warning
from portal.supervisor import scheduler
from tests.migrations.test_status import add
from tests.support.databases import connect, create_database, drop_database, postgres_url
from tests.support.keys import KEYS
from tests.support.processes import OWNER, PLAIN, SUPERUSER
from tests.tenant_guard.unguarded import names, refused, without_guard
from tests.web.world import make_place, make_user, sign_in


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """SQLite has no such belt."""
    return postgresql_url


def test_the_plain_role_adds_to_the_audit_trail_and_changes_nothing(
    app: Flask, app_context: None
) -> None:
    place = make_place(app)
    with tenant_scope(place.id):
        add_client("Zebra")
        for table in ("audit_entries", "install_audit_entries"):
            for statement in ("UPDATE {} SET action = 'none'", "DELETE FROM {}", "TRUNCATE {}"):
                with refused(), db.engine.begin() as connection:
                    connection.exec_driver_sql(statement.format(table))
        later = utc_now() + timedelta(days=9999)
        with time_machine.travel(later, tick=False):
            assert retention.prune() == 0
        kept = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)).all()
        assert kept == ["connection.saved", "client.added"]
        db.session.remove()


def test_a_data_migration_reaches_every_tenants_rows(
    two_tenants: None, app: Flask, tmp_path: Path
) -> None:
    """It runs as the owner, for whom the policies hold as well: without the scope that the
    migrations take, it would change no row, and say nothing."""
    owner_url = db.engine.url.set(username=OWNER)
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("UPDATE clients SET name = 'never'").rowcount == 0
    engine.dispose()
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_data.py").write_text(DATA_REVISION.format(get_head()))
    app.extensions["settings"] = replace(
        app.extensions["settings"],
        database_owner_url=owner_url.render_as_string(hide_password=False),
    )
    db.session.remove()
    before = get_head()
    flask_migrate.upgrade(directory=str(folder))
    try:
        with all_tenants():
            assert names(select(Client.name)) == ["migrated 1", "migrated 2"]
        db.session.remove()
    finally:
        flask_migrate.downgrade(directory=str(folder), revision=before)


def test_the_owner_prunes_the_audit_trail(app: Flask, settings: Settings) -> None:
    with app.app_context(), tenant_scope(make_place(app).id):
        add_client("Zebra")
        before = verify(get_tenant_id()).head.number
        db.session.remove()
    owner = create_app(replace(settings, database_url=url_of(OWNER, app)))
    later = utc_now() + timedelta(days=9999)
    with owner.app_context(), time_machine.travel(later, tick=False):
        assert retention.prune() == before
        assert [found.ok for found in map(verify, (1, None))] == [True, True]
        close_database()


def test_a_start_and_the_dashboard_say_when_the_role_may_too_much(
    app: Flask, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    place = make_place(app)
    for role, words in ((PLAIN, ""), (OWNER, "owns the tables"), (SUPERUSER, "is a superuser")):
        other = create_app(replace(settings, database_url=url_of(role, app)))
        http = other.test_client()
        sign_in(other, http, make_user(other, f"admin@{role}.example", place))
        caplog.clear()
        scheduler._check_role(other)
        told = f"role {role} {words}"
        assert (told in http.get(place.url()).text) is (told in caplog.text) is bool(words)
        with other.app_context():
            close_database()


@contextmanager
def new_database(owner: str) -> Iterator[str]:
    name = "roles_" + os.environ.get("PYTEST_XDIST_WORKER", "main")
    create_database(name, owner)
    try:
        yield name
    finally:
        drop_database(name)


def settings_of(name: str, folder: Path, **more: str) -> Settings:
    environ = {**KEYS, "DATABASE_URL": postgres_url(name), "PORTAL_DATA_DIR": str(folder)}
    return read_settings(environ | more)


def test_with_one_role_everything_works_and_two_are_made_of_it(
    postgres_server: None, tmp_path: Path
) -> None:
    """By the statements of docs/install.md, on an install of before with rows in it."""
    with new_database(PLAIN) as name:
        with create_app(settings_of(name, tmp_path)).app_context() as context:
            flask_migrate.upgrade(revision="0036")
            with all_tenants(), db.engine.begin() as connection:
                for number, slug in enumerate(("acme", "other"), 1):
                    add(connection, "tenants", id=number, slug=slug)
                    add(connection, "clients", id=number, tenant_id=number, name=slug)
            upgrade_database(context.app)
            assert find_role_warning() is not None
            assert clients_by_scope() == [["acme"], ["acme", "other"], []]
            close_database()
        with connect(name) as connection:
            for statement in re.findall(r"    ((?:ALTER|REASSIGN) .*;)", INSTALL.read_text()):
                connection.execute(statement.replace("DATABASE portal", f"DATABASE {name}"))
        owner_url = postgres_url(name, OWNER)
        both = settings_of(name, tmp_path, DATABASE_OWNER_URL=owner_url)
        with create_app(both).app_context() as context:
            upgrade_database(context.app)
            assert find_role_warning() is None
            assert clients_by_scope() == [["acme"], ["acme", "other"], []]
            close_database()


def clients_by_scope() -> list[list[str]]:
    """With the guard taken out, what a tenant, everyone and nobody sees."""
    with without_guard():
        seen = []
        for scope in (lambda: tenant_scope(1), all_tenants, nullcontext):
            with scope():
                seen.append(names(select(Client.name)))
        db.session.remove()
    return seen


def test_a_plain_role_that_would_have_to_upgrade_says_what_to_do(
    postgres_server: None, tmp_path: Path
) -> None:
    with new_database(OWNER) as name, create_app(settings_of(name, tmp_path)).app_context():
        with pytest.raises(ConfigError, match=r"role portal does not own.*DATABASE_OWNER_URL"):
            prepare_database()
        close_database()


def url_of(role: str, app: Flask) -> str:
    with app.app_context():
        return db.engine.url.set(username=role).render_as_string(hide_password=False)


INSTALL = Path(__file__).parents[2] / "docs" / "install.md"
DATA_REVISION = """
from alembic import op
revision, down_revision = "9999", "{}"
def upgrade():
    op.execute("UPDATE clients SET name = 'migrated ' || id")
def downgrade():
    pass
"""
