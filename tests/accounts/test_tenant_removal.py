"""A tenant removed: all that was its own, and nothing of anybody else's."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Table, UniqueConstraint, func, select

from portal.clock import utc_now
from portal.db import Base, db, transaction
from portal.errors import Refused
from portal.models import Authenticator, Client, SyncRun, Tenant, User
from portal.models.runs.sync_run import RunStatus
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts import tenant_removal
from portal.services.accounts.tenant_removal import count_rows, list_owned_models, remove_tenant
from portal.services.accounts.tenants import get_tenant
from portal.services.lists.pruning import delete_in_parts
from tests.web.world import Place, make_place, make_user, sign_in

OWNED = {table.name for table in Base.metadata.tables.values() if "tenant_id" in table.columns}


@pytest.fixture
def other(app: Flask) -> Place:
    return make_place(app, "other")


@pytest.fixture
def acme(app: Flask) -> Place:
    return make_place(app, "acme")


def rows_of(tenant_id: int) -> dict[str, int]:
    """Past the guard, table by table as the database has them."""
    with all_tenants():
        connection = db.session.connection()
        counts = {
            table.name: connection.execute(
                select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
            ).scalar_one()
            for table in Base.metadata.tables.values()
            if "tenant_id" in table.columns
        }
    db.session.rollback()
    return {name: count for name, count in counts.items() if count}


def test_no_table_of_tenants_is_forgotten() -> None:
    assert {model.__tablename__ for model in list_owned_models()} == OWNED


def test_what_points_to_others_goes_before_them() -> None:
    tables: list[Table] = [model.__table__ for model in list_owned_models()]  # type: ignore[misc]
    for number, table in enumerate(tables):
        named = {key.column.table for key in table.foreign_keys} - {table}
        assert not named & set(tables[:number]), table.name


def test_rows_that_point_to_one_that_goes_are_found_by_an_index() -> None:
    """Else each of thousands is looked for in every tenant's rows, while nobody else writes."""
    assert [
        f"{table.name}.{key.parent.name}"
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in OWNED - {"rmm_integrations"}  # a tenant has one or two
        and key.parent.name not in list_indexed(table)
    ] == []


def list_indexed(table: Table) -> set[str]:
    """First columns of unique constraints and of indexes that hold every row with a value."""
    unique = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    full = [
        index
        for index in table.indexes
        if (where := index.dialect_options["sqlite"]["where"]) is None
        or str(where) == f"{next(iter(index.columns)).name} IS NOT NULL"
    ]
    firsts = [next(iter(each.columns)) for each in unique] + [next(iter(i.columns)) for i in full]
    return {column.name for column in firsts}


def test_nothing_of_the_tenant_stays_and_all_of_the_others(
    app: Flask, acme: Place, other: Place
) -> None:
    only = make_user(app, "only@acme.example", acme)
    with app.app_context(), transaction() as session:
        session.add(Authenticator(user_id=only, envelope="v1.k1.sealed", confirmed_at=utc_now()))
    make_user(app, "both@acme.example", acme, other)
    with app.app_context():
        theirs = rows_of(other.id)
        assert rows_of(acme.id).keys() >= theirs.keys() - {"memberships"}
        tenant = get_tenant("acme")
        with_secrets = count_rows(tenant)
        remove_tenant(tenant)

        assert with_secrets["secrets"] >= 1
        assert rows_of(acme.id) == {}
        assert rows_of(other.id) == theirs
        assert db.session.scalars(select(Tenant.slug)).all() == ["other"]
        assert db.session.scalars(select(Authenticator.user_id)).all() == []
        left = ["both@acme.example", "member@other.example"]
        assert db.session.scalars(select(User.email).order_by(User.email)).all() == left


def test_rows_go_in_parts_and_a_removal_that_was_cut_off_goes_on(
    app: Flask, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_removal, "ROWS_AT_ONCE", 10)
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add_all(Client(name=f"Client {number}") for number in range(35))
    parts: list[tuple[str, int]] = []

    def cut_off_before_clients(model: Any, list_some: Any) -> int:
        def note() -> Any:
            ids = list_some()
            parts.append((model.__tablename__, len(ids)))
            return ids

        if model is Client and not any(table == "clients" for table, _ in parts):
            parts.append(("clients", 0))
            raise KeyboardInterrupt
        return delete_in_parts(model, note)

    monkeypatch.setattr(tenant_removal, "delete_in_parts", cut_off_before_clients)
    with app.app_context():
        with pytest.raises(KeyboardInterrupt):
            remove_tenant(get_tenant("acme"))
        db.session.rollback()
        assert rows_of(acme.id)["clients"] == 36
        remove_tenant(get_tenant("acme"))
        assert rows_of(acme.id) == {}
    assert [count for table, count in parts if table == "clients"] == [0, 10, 10, 10, 6, 0]


def test_members_are_shut_out_before_anything_is_deleted(
    app: Flask, http: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(app, http, make_user(app, "anna@acme.example", acme))
    seen: list[int] = []

    def look(*_args: Any) -> int:
        seen.append(http.get(acme.url()).status_code)
        return 0

    assert http.get(acme.url()).status_code == 200
    monkeypatch.setattr(tenant_removal, "delete_in_parts", look)
    with app.app_context():
        remove_tenant(get_tenant("acme"))
    assert set(seen) == {404}
    assert http.get(acme.url()).location.startswith("/sign-in")


def test_a_run_that_does_not_end_keeps_everything(
    app: Flask, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant_removal, "RUNS_END_WITHIN_SECONDS", 0)
    with app.app_context():
        with tenant_scope(acme.id), transaction() as session:
            run = session.get_one(SyncRun, acme.run)
            run.status, run.heartbeat_at = RunStatus.RUNNING, utc_now()
        with pytest.raises(Refused, match="still running"):
            remove_tenant(get_tenant("acme"))
        db.session.rollback()
        kept = rows_of(acme.id)
        assert (kept["assets"], kept["clients"], kept["sync_runs"]) == (1, 1, 1)
        with tenant_scope(acme.id):
            assert db.session.get_one(SyncRun, acme.run).cancel_requested_at is not None
