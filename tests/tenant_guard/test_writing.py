"""No statement and no flush changes another tenant's rows."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

import portal
from portal.clock import utc_now
from portal.db import add_rows, db, put_rows, upsert
from portal.db import insert as insert_for_this_database
from portal.models import Client, OrganizationMapping
from portal.scope import (
    ScopeMissing,
    all_tenants,
    limited_to,
    tenant_scope,
)
from tests.tenant_guard.world import (
    OURS,
    THEIRS,
    UNTOUCHED,
    all_clients,
)

pytestmark = pytest.mark.usefixtures("two_tenants")

# --- Writing ----------------------------------------------------------------------------


def test_an_update_changes_the_scopes_rows_alone() -> None:
    with tenant_scope(OURS):
        db.session.execute(update(Client).values(name="changed"))
        assert all_clients() == [("changed", OURS), ("theirs", THEIRS)]


def test_an_update_reads_the_scopes_rows_alone() -> None:
    highest = select(func.max(aliased(Client).name)).scalar_subquery()
    with tenant_scope(OURS):
        db.session.execute(update(Client).values(name=highest))
        assert all_clients() == UNTOUCHED


def test_a_change_that_joins_another_table_is_refused() -> None:
    condition = OrganizationMapping.client_id == Client.id
    joining = update(OrganizationMapping).where(condition)
    copying = update(OrganizationMapping).values(external_organization_name=Client.name)
    with tenant_scope(OURS):
        for statement in (
            joining.values(external_organization_name="changed"),
            copying,
            delete(OrganizationMapping).where(condition),
        ):
            with pytest.raises(ScopeMissing):
                db.session.execute(statement)


def test_a_delete_takes_the_scopes_rows_alone() -> None:
    with tenant_scope(OURS):
        db.session.execute(delete(OrganizationMapping))
    with all_tenants():
        left = db.session.scalars(select(OrganizationMapping)).one()
        assert left.tenant_id == THEIRS


def test_a_row_cannot_be_given_away() -> None:
    with tenant_scope(OURS), pytest.raises(ScopeMissing):
        db.session.execute(update(Client).values(tenant_id=THEIRS))
    assert all_clients() == UNTOUCHED


def test_a_bulk_update_by_ids_is_refused() -> None:
    with tenant_scope(OURS), pytest.raises(ScopeMissing):
        db.session.execute(update(Client), [{"id": THEIRS, "name": "changed"}])
    assert all_clients() == UNTOUCHED


def _row(tenant_id: int | None, number: int = 3) -> dict[str, Any]:
    name = f"client {number}"
    row = {"id": number, "name": name, "name_key": name, "created_at": utc_now()}
    return row if tenant_id is None else {**row, "tenant_id": tenant_id}


@pytest.mark.parametrize(
    "rows",
    [
        [_row(THEIRS)],
        [_row(None)],
        [_row(OURS), _row(THEIRS, 4)],
    ],
)
def test_a_bulk_insert_names_the_scopes_tenant_in_every_row(rows: list[dict[str, Any]]) -> None:
    with tenant_scope(OURS), pytest.raises(ScopeMissing):
        db.session.execute(insert_for_this_database(Client), rows)
    with pytest.raises(ScopeMissing):
        db.session.execute(insert_for_this_database(Client), rows)
    assert all_clients() == UNTOUCHED


def test_an_insert_whose_rows_cannot_be_seen_is_refused() -> None:
    columns = ["tenant_id", "name", "name_key", "created_at"]
    source = select(Client.tenant_id, Client.name, Client.name_key, Client.created_at)
    statement = insert_for_this_database(Client)
    with tenant_scope(OURS):
        for refused in (statement.values(_row(THEIRS)), statement.from_select(columns, source)):
            with pytest.raises(ScopeMissing):
                db.session.execute(refused)


def test_an_upsert_does_not_touch_the_foreign_row_that_it_meets() -> None:
    with tenant_scope(OURS):
        statement = upsert(Client, unique=("id",), updated=("name",))
        db.session.execute(statement, [_row(OURS, OURS), _row(OURS, THEIRS)])
        assert all_clients() == [("client 1", OURS), ("theirs", THEIRS)]


def test_nor_do_rows_that_are_put_past_the_session() -> None:
    columns, now = ("id", "name", "name_key"), utc_now()
    rows = [(OURS, "new", "new"), (THEIRS, "new", "new 2"), (3, "new", "new 3")]
    with tenant_scope(OURS):
        put_rows(db.session(), Client, {"created_at": now}, columns, rows, unique=("id",))
        assert all_clients() == [("new", OURS), ("theirs", THEIRS), ("new", OURS)]


def test_of_rows_that_are_put_an_older_one_changes_nothing() -> None:
    columns, now = ("id", "name", "created_at"), utc_now()
    rows = [(OURS, "older", now - timedelta(days=9))]
    with tenant_scope(OURS):
        same = {"name_key": "x"}
        put_rows(db.session(), Client, same, columns, rows, ("id",), newer=("created_at",))
        assert all_clients() == UNTOUCHED
        rows = [(OURS, "newer", now + timedelta(days=9))]
        put_rows(db.session(), Client, same, columns, rows, ("id",), newer=("created_at",))
        assert all_clients() == [("newer", OURS), ("theirs", THEIRS)]


def test_rows_past_the_session_are_the_scopes_and_of_nobody_limited() -> None:
    same, row = {"name": "new", "created_at": utc_now()}, [("new",)]
    with tenant_scope(OURS):
        with pytest.raises(ScopeMissing):
            add_rows(db.session(), Client, same | {"tenant_id": THEIRS}, ("name_key",), row)
        with limited_to([OURS]), pytest.raises(ScopeMissing):
            add_rows(db.session(), Client, same, ("name_key",), row)
    with pytest.raises(ScopeMissing):
        add_rows(db.session(), Client, same, ("name_key",), row)
    assert all_clients() == UNTOUCHED


def test_every_upsert_is_one_that_minds_the_tenant() -> None:
    folder = Path(portal.__file__).parent
    forbidden = re.compile(r"on_conflict_do_update|ON CONFLICT|bulk_(save|insert|update)_")
    found = {p.name for p in folder.rglob("*.py") if forbidden.search(p.read_text())}
    assert found == {"statements.py"}


# --- Rows as objects --------------------------------------------------------------------


def test_a_new_row_becomes_the_scopes() -> None:
    with tenant_scope(OURS):
        client = Client(id=9, name="new")
        db.session.add(client)
        db.session.flush()
        assert client.tenant_id == OURS


def test_a_foreign_new_row_is_not_flushed() -> None:
    with tenant_scope(OURS):
        db.session.add(Client(id=9, name="new", tenant_id=THEIRS))
        with pytest.raises(ScopeMissing):
            db.session.flush()


def test_without_a_scope_nothing_is_flushed() -> None:
    db.session.add(Client(id=9, name="new"))
    with pytest.raises(ScopeMissing):
        db.session.flush()


def _their_client() -> Client:
    with all_tenants():
        return db.session.get_one(Client, THEIRS)


def test_a_foreign_row_is_not_changed() -> None:
    client = _their_client()
    with tenant_scope(OURS):
        client.name = "changed"
        with pytest.raises(ScopeMissing):
            db.session.flush()


def test_a_foreign_row_is_not_taken_over() -> None:
    client = _their_client()
    with tenant_scope(OURS):
        client.tenant_id = OURS
        with pytest.raises(ScopeMissing):
            db.session.flush()


def test_a_foreign_row_is_not_deleted() -> None:
    client = _their_client()
    with tenant_scope(OURS):
        db.session.delete(client)
        with pytest.raises(ScopeMissing):
            db.session.flush()
