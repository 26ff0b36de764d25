"""The session and the unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.orm import Session

from portal.db.columns import Base
from portal.db.engine import WRITE_TIMEOUT_SECONDS
from portal.tenant_guard import GuardedSession

db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={
        "class_": GuardedSession,
        "expire_on_commit": False,
        "autoflush": False,
    },
)


@contextmanager
def transaction(timeout: float | None = None) -> Iterator[Session]:
    """All or nothing: commits at the end of the block, rolls back when it raises.

    Takes the write lock at once: a SQLite transaction that reads first and writes later
    fails when another connection wrote in between, however long the busy timeout.
    Does not nest: a service, or the engine for each page, owns its transaction, and nothing
    it calls opens another. `timeout`, in seconds, is for a caller that cannot wait for long.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("A transaction is already open.")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("There are changes made outside a transaction.")
    session.rollback()  # ends the read snapshot left by earlier queries
    session.info["in_transaction"] = True
    try:
        options = {"sqlite_begin": "BEGIN IMMEDIATE", "timeout": timeout or WRITE_TIMEOUT_SECONDS}
        connection = session.connection(execution_options=options)
        if timeout is not None and connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(timeout * 1000)}")
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


def changed_one(session: Session, statement: Update | Delete) -> bool:
    """Execute it; whether it changed its row. For a change that must happen once, however many
    processes try: the row's condition is in the WHERE, and one of them finds it met."""
    return count_changed(session, statement) == 1


def count_changed(session: Session, statement: Update | Delete) -> int:
    """Execute it; how many rows it changed. Objects that the session holds are not updated."""
    quick = statement.execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(quick)).rowcount


def release() -> None:
    """End the read snapshot and hand the connection back, before slow work elsewhere."""
    db.session.rollback()
