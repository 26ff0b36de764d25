"""Reading events in the order of their ids without missing one.

PostgreSQL hands out ids when rows are inserted, not when they are committed: event 7 may be
there while 6 is still being written. Whoever then moves past 7 never sees 6. So each writer
holds a lock of its tenant, together with all other writers, until its transaction ends; a
reader notes the newest id and who holds the lock at that moment. When those have ended,
whatever has an id up to that one is there, or never will be. Nobody waits but the reader.

SQLite has one writer at a time: its ids are in order as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from sqlalchemy import Integer, Select, String, cast, column, func, literal, select, table
from sqlalchemy.orm import Session

from portal.models import Event
from portal.scope import get_tenant_id

LOCK_CLASS = 0x65766E74
"""A number of our own among the advisory locks of the database."""
WAIT_SECONDS = 10.0
POLL_SECONDS = 0.05

_LOCK_COLUMNS = ("virtualtransaction", "database", "locktype", "classid", "objid")


def announce_writer(session: Session, tenant_ids: Iterable[int]) -> None:
    """Before events are inserted: this transaction is writing some."""
    if _is_postgresql(session):
        locks = [
            func.pg_advisory_xact_lock_shared(_number(LOCK_CLASS), _number(_key(tenant_id)))
            for tenant_id in sorted(tenant_ids)
        ]
        session.execute(select(*locks))


def find_settled_id(session: Session) -> int | None:
    """The newest event of the scope's tenant below which none can appear any more.

    Waits for those who are writing; None when they take too long for now. 0: no event yet.
    """
    newest = session.scalar(select(func.max(Event.id))) or 0
    if not _is_postgresql(session):
        return newest
    writers = set(session.scalars(_writers()))
    give_up = time.monotonic() + WAIT_SECONDS
    while writers:
        writers &= set(session.scalars(_writers()))
        if not writers:
            break
        if time.monotonic() > give_up:
            return None
        time.sleep(POLL_SECONDS)
    return newest


def _writers() -> Select[str]:
    """The transactions that write events of the scope's tenant now."""
    locks = table("pg_locks", *(column(name) for name in _LOCK_COLUMNS))
    database = table("pg_database", column("oid"), column("datname"))
    return (
        select(cast(locks.c.virtualtransaction, String))
        .join(database, database.c.oid == locks.c.database)
        .where(
            database.c.datname == func.current_database(),
            locks.c.locktype == "advisory",
            locks.c.classid == LOCK_CLASS,
            locks.c.objid == _key(get_tenant_id()),
        )
    )


def _key(tenant_id: int) -> int:
    """Such a lock has 31 bits of room. Two tenants that share one wait for each other, no more."""
    return tenant_id % 2**31


def _number(number: int) -> object:
    return cast(literal(number), Integer)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
