"""PostgreSQL keeps tenants apart by itself: without the guard, no foreign row is to be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import CursorResult, delete, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from portal.clock import utc_now
from portal.db import Base, db, transaction, upsert
from portal.db.row_security import POLICIES
from portal.models import Client
from portal.scope import all_tenants, tenant_scope
from portal.tenant_guard import GuardedSession
from tests.support.databases import connect
from tests.tenant_guard.unguarded import names, refused, without_guard
from tests.tenant_guard.world import OURS, THEIRS
from tests.web.safety.test_isolation import open_foreign, rows_of
from tests.web.world import make_place, make_user, sign_in

OF_TENANTS = [table for table in Base.metadata.sorted_tables if "tenant_id" in table.columns]


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    """SQLite has no such belt."""
    return postgresql_url


@pytest.fixture
def unguarded(two_tenants: None) -> Iterator[None]:
    with without_guard():
        yield


# --- The policies -----------------------------------------------------------------------


def test_every_table_of_tenants_has_its_policies(postgres_database: str) -> None:
    """A new one gets them at the end of the upgrade that makes it."""
    policies = "SELECT tablename, array_agg(policyname::text ORDER BY policyname) FROM pg_policies"
    forced = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    with connect(postgres_database) as connection:
        of_all = f"{policies} WHERE cmd = 'ALL' AND roles = '{{public}}' GROUP BY tablename"
        found: dict[str, list[str]] = dict(connection.execute(of_all).fetchall())
        assert {name for (name,) in connection.execute(forced)} == found.keys()
    assert found == {table.name: sorted(POLICIES) for table in OF_TENANTS}


def test_the_tests_run_as_a_plain_role(app: Flask, app_context: None) -> None:
    with db.engine.connect() as connection:
        query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert tuple(connection.exec_driver_sql(query).one()) == (False, False)
        with pytest.raises(ProgrammingError, match="must be owner"):
            connection.exec_driver_sql("ALTER TABLE clients DISABLE ROW LEVEL SECURITY")


# --- Without the guard ------------------------------------------------------------------


@pytest.mark.usefixtures("unguarded")
def test_no_foreign_row_is_read() -> None:
    with tenant_scope(OURS):
        assert names(select(Client.name)) == ["ours"]
        assert names(select(Client.__table__.c.name)) == ["ours"]
        assert names(text("SELECT name FROM clients")) == ["ours"]
        assert names(select(Client.name).where(Client.id == THEIRS)) == []
    assert names(select(Client.name)) == []
    with all_tenants():
        assert names(select(Client.name)) == ["ours", "theirs"]


@pytest.mark.usefixtures("unguarded")
def test_nor_is_one_changed_or_deleted_in_any_form() -> None:
    statements = (
        update(Client).where(Client.id == THEIRS).values(name="changed"),
        text("UPDATE clients SET name = 'changed' WHERE id = 2"),
        delete(Client).where(Client.id == THEIRS),
        text("DELETE FROM clients WHERE id = 2"),
    )
    for scope in (nullcontext, lambda: tenant_scope(OURS)):
        for statement in statements:
            with scope(), transaction() as session:
                assert cast("CursorResult[Any]", session.execute(statement)).rowcount == 0
    with all_tenants():
        assert names(select(Client.name)) == ["ours", "theirs"]


@pytest.mark.usefixtures("unguarded")
def test_nor_is_one_added_given_away_or_met_by_an_upsert() -> None:
    row = {"name": "new", "name_key": "new", "created_at": utc_now()}
    meeting = upsert(Client, ("id",), ("name", "tenant_id")).values(tenant_id=OURS, id=2, **row)
    with tenant_scope(OURS):
        with refused(), transaction() as session:
            session.add(Client(tenant_id=THEIRS, **row))
        with refused(), transaction() as session:
            session.execute(update(Client).values(tenant_id=THEIRS))
        with transaction() as session:
            session.execute(meeting)
    with all_tenants():
        assert names(select(Client.name)) == ["ours", "theirs"]


def test_no_statement_reaches_a_foreign_row_of_any_table(app: Flask, app_context: None) -> None:
    """Past the session too, at a bare connection."""
    fill_tables()
    with tenant_scope(OURS), db.engine.connect() as connection:
        for table in OF_TENANTS:
            tenant, may_change = table.c.tenant_id, table.name != "audit_entries"
            assert connection.scalars(select(tenant)).all() == [OURS], table.name
            with refused(), connection.begin_nested():
                connection.execute(insert(table).values(tenant_id=THEIRS))
            for change in (update(table).values(tenant_id=tenant), delete(table)):
                with nullcontext() if may_change else refused(), connection.begin_nested():
                    foreign = connection.execute(change.where(tenant == THEIRS))
                    assert foreign.rowcount == 0, table.name
            with refused(), connection.begin_nested():
                connection.execute(update(table).values(tenant_id=THEIRS))


def test_no_route_reaches_a_foreign_row(
    app: Flask, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    acme, other = make_place(app), make_place(app, "other")
    sign_in(app, http, make_user(app, "owner@acme.example", acme, role="owner"))
    before = rows_of(app, other)
    monkeypatch.delattr(GuardedSession, "get")
    with without_guard():
        assert set(open_foreign(app, http, acme.slug, other).values()) == {404}
    assert rows_of(app, other) == before


FILLING = {
    "JSON": "{}",
    "DATE": "2026-01-01",
    "TIMESTAMP WITH TIME ZONE": "2026-01-01",
    "BOOLEAN": "no",
}


def fill_tables() -> None:
    """A row of each tenant in every table, whatever it says."""
    with connect(db.engine.url.database or "") as connection:
        connection.execute("SET session_replication_role = replica")  # no foreign keys
        for table in OF_TENANTS:
            kinds = {
                column.name: column.type.compile(db.engine.dialect)
                for column in table.columns
                if not column.nullable and not column.primary_key and column.computed is None
            }
            statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table.name),
                sql.SQL(", ").join(map(sql.Identifier, kinds)),
                sql.SQL(", ").join(sql.Placeholder() * len(kinds)),
            )
            for number in (OURS, THEIRS):
                connection.execute(statement, [FILLING.get(k, str(number)) for k in kinds.values()])


# --- What the database is told ----------------------------------------------------------


@pytest.mark.usefixtures("unguarded")
def test_the_database_follows_the_scope_within_a_transaction() -> None:
    with tenant_scope(OURS), transaction() as session:
        assert names(select(Client.name)) == ["ours"]
        with all_tenants():
            assert names(select(Client.name)) == ["ours", "theirs"]
        with pytest.raises(ProgrammingError), all_tenants(), session.begin_nested():
            session.execute(text("SELECT no_such_column FROM clients"))
        assert names(select(Client.name)) == ["ours"]
        savepoint = session.begin_nested()
        with tenant_scope(THEIRS):
            assert names(select(Client.name)) == ["theirs"]
        savepoint.rollback()
        assert names(select(Client.name)) == ["ours"]
        with tenant_scope(THEIRS):
            assert names(select(Client.name)) == ["theirs"]


@pytest.mark.usefixtures("unguarded")
def test_a_pooled_connection_remembers_no_scope() -> None:
    for end in (db.session.commit, db.session.rollback):
        with tenant_scope(OURS):
            assert names(select(Client.name)) == ["ours"]
        end()
        assert names(select(Client.name)) == []
        end()


def test_a_row_that_is_held_already_is_read_again_without_a_scope(two_tenants: None) -> None:
    """As the scheduler does with what it found across tenants, after a transaction for one."""
    with all_tenants():
        client = db.session.get_one(Client, THEIRS)
    db.session.rollback()
    assert client.name == "theirs"
