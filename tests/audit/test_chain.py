"""The chain: it never forks, finds what was done to it, and outlives keys and retention."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.ctx import AppContext
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from portal.clock import utc_now
from portal.db import db, transaction
from portal.keys import KeyFile
from portal.models import AuditEntry, Event, InstallAuditEntry, Tenant
from portal.models.audit.entry import AppendOnly, AuditModel, table_of
from portal.models.events.event import EventType
from portal.scope import all_tenants, tenant_scope
from portal.services import key_rotation
from portal.services.accounts.tenants import add_tenant
from portal.services.audit import retention
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.verification import Head, Verification, verify
from portal.services.clients import add_client, delete_client, rename_client
from portal.vault import Vault
from tests.support.databases import superuser_engine

WRITERS = 4
ROWS_EACH = 8


@pytest.fixture
def tenant(app_context: AppContext) -> Iterator[int]:
    tenant_id = add_tenant("Acme IT", "acme").id
    with tenant_scope(tenant_id):
        yield tenant_id


def change(statement: str, **values: Any) -> None:
    """Past everything that the portal's own code and its role keep to."""
    with superuser_engine() as engine, engine.begin() as connection:
        connection.execute(text(statement), values)


def problems(found: Verification) -> list[str]:
    return [f"{problem.number}: {problem.message}" for problem in found.problems]


def rows() -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)))


def test_a_row_says_who_did_what(tenant: int) -> None:
    client = add_client("Zebra")
    rename_client(client.id, "Zulu")
    delete_client(client.id)

    seen = [(row.number, row.action, row.target_name, row.before, row.after) for row in rows()[1:]]
    assert seen == [
        (2, "client.added", "Zebra", None, {"name": "Zebra"}),
        (3, "client.renamed", "Zulu", {"name": "Zebra"}, {"name": "Zulu"}),
        (4, "client.deleted", "Zulu", {"name": "Zulu"}, None),
    ]
    assert verify(tenant).ok


def test_what_is_not_done_is_not_recorded(tenant: int) -> None:
    before = verify(tenant).head
    with pytest.raises(IntegrityError):
        _fail()
    add_client("Zebra")

    assert verify(tenant).head.number == before.number + 1
    with pytest.raises(RuntimeError, match="transaction of the change"):
        record(Action.CLIENT_ADDED, Target("client"))


def _fail() -> None:
    with transaction() as session:
        record(Action.CLIENT_ADDED, Target("client"))
        session.add(Tenant(name="Twin", slug="acme"))


def test_parallel_writers_do_not_fork_it(app: Flask, tenant: int) -> None:
    """Some of them lock the tenant's own row first, as changes of its users do."""
    start, failures = threading.Barrier(WRITERS), []

    def write(number: int) -> None:
        try:
            with app.app_context(), tenant_scope(tenant):
                start.wait()
                for _ in range(ROWS_EACH):
                    with transaction() as session:
                        if number % 2:
                            session.get_one(Tenant, tenant, with_for_update={"key_share": True})
                        record(Action.CLIENT_ADDED, Target("client", number))
                db.session.remove()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    found = verify(tenant)
    assert problems(found) == []
    assert found.head.number == found.rows == WRITERS * ROWS_EACH + 1
    sent = select(Event).where(Event.type == EventType.AUDIT_RECORDED).order_by(Event.id)
    told = [event.payload["number"] for event in db.session.scalars(sent)]
    assert sorted(told) == list(range(1, found.rows + 1))


TAMPERED: dict[str, tuple[str, list[str]]] = {
    "text": (
        "UPDATE audit_entries SET actor_name = 'nobody' WHERE number = 3",
        ["3: This row was changed."],
    ),
    "values": (
        "UPDATE audit_entries SET after = NULL WHERE number = 3",
        ["3: This row was changed."],
    ),
    "code": (
        "UPDATE audit_entries SET mac = previous WHERE number = 3",
        ["3: This row was changed.", "4: This row does not follow the one before it."],
    ),
    "gap": ("DELETE FROM audit_entries WHERE number = 3", ["4: Row 3 is missing."]),
    "beginning": (
        "DELETE FROM audit_entries WHERE number < 3",
        ["3: Rows 1 to 2 are missing. No checkpoint stands for them."],
    ),
    "order": (
        "UPDATE audit_entries SET number = 9 WHERE number = 3",
        ["4: Row 3 is missing.", "9: This row was changed.", "9: Rows 6 to 8 are missing."],
    ),
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_what_was_done_to_it_is_found(tenant: int, kind: str) -> None:
    for name in ("A", "B", "C", "D"):
        add_client(name)
    statement, expected = TAMPERED[kind]
    change(statement)

    found = verify(tenant)
    assert sorted(problems(found)) == sorted(expected)
    assert not found.ok


def test_a_missing_tail_is_found_with_an_earlier_head(tenant: int) -> None:
    add_client("A")
    early = verify(tenant).head
    add_client("B")
    late = verify(tenant).head
    assert verify(tenant, early).ok

    change("DELETE FROM audit_entries WHERE number = 3")
    assert verify(tenant).ok  # nothing in the database can tell
    assert problems(verify(tenant, late)) == [
        "2: The chain ends here, but the given head is row 3: what came after was removed."
    ]
    add_client("C")
    assert problems(verify(tenant, late)) == [
        "3: This row is not the one that the given head names."
    ]


def test_a_row_of_another_tenant_does_not_fit(tenant: int, app: Flask) -> None:
    with all_tenants():
        other = add_tenant("Other IT", "other").id
    change("DELETE FROM audit_entries WHERE tenant_id = :one", one=tenant)
    change(
        "UPDATE audit_entries SET tenant_id = :one WHERE tenant_id = :two", one=tenant, two=other
    )

    assert problems(verify(tenant)) == ["1: This row was changed."]


@pytest.mark.parametrize("model", [AuditEntry, InstallAuditEntry])
def test_the_portal_does_not_change_rows(tenant: int, model: AuditModel) -> None:
    row: Any = db.session.scalars(select(model)).first()
    attempts: list[Callable[[Any], object]] = [
        lambda session: session.execute(update(model).values(action="none")),
        lambda session: session.execute(delete(model)),
        lambda session: session.execute(delete(table_of(model))),
        lambda session: session.delete(session.get_one(model, row.id)),
        lambda session: setattr(session.get_one(model, row.id), "action", "none"),
    ]
    for attempt in attempts:
        with pytest.raises(AppendOnly), all_tenants(), transaction() as session:
            attempt(session)


@pytest.mark.one_database
def test_retention_leaves_a_checkpoint(
    app: Flask, tenant: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = [verify(tenant).head]
    for name in ("A", "B", "C"):
        add_client(name)
        early.append(verify(tenant).head)
    app.extensions["settings"] = replace(app.extensions["settings"], audit_days=30)
    assert retention.prune() == 0
    monkeypatch.setattr(retention, "AT_ONCE", 3)

    with time_machine.travel(utc_now() + timedelta(days=31), tick=False):
        assert retention.prune() == 4 + 1  # and the one of the install
    found = verify(tenant)
    assert problems(found) == []
    assert [row.action for row in rows()] == ["audit.pruned"] * 2
    assert found.first == 5
    assert verify(tenant, early[3]).ok  # the head that a checkpoint stands for
    assert problems(verify(tenant, early[0])) == [
        "5: The given head is older than the rows that are kept, so it cannot be compared."
    ]
    assert problems(verify(tenant, Head(4, "0" * 64))) != []
    change("DELETE FROM audit_entries WHERE number = 5")
    assert verify(tenant).problems != []


def test_a_rotated_key_keeps_old_rows_verifiable(
    app: Flask, app_context: AppContext, tmp_path: Path
) -> None:
    app.extensions["vault"] = Vault(KeyFile(tmp_path / "keys" / "encryption.keys"))
    tenant = add_tenant("Acme IT", "acme").id
    rotation = key_rotation.rotate_keys()
    key_rotation.remove_key("k1")
    with tenant_scope(tenant):
        add_client("B")
        assert [row.key_id for row in rows()] == ["k1", rotation.key_id]
    assert list(app.extensions["vault"].keys) == ["k2"]

    assert problems(verify(tenant)) == []
    found = verify(None)
    assert problems(found) == []
    assert found.rows == 5  # the tenant, the rotation and its two parts, the removal
