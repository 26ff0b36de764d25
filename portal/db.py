"""The database: base class, column types and the unit of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from itertools import repeat
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CursorResult,
    DateTime,
    Delete,
    Dialect,
    Enum,
    Integer,
    MetaData,
    Update,
    and_,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.types import TypeDecorator

from portal.scope import get_tenant_id
from portal.tenant_guard import GuardedSession, TenantOwned

__all__ = [
    "Base",
    "BigId",
    "TenantOwned",
    "UtcDateTime",
    "add_rows",
    "changed_one",
    "count_changed",
    "db",
    "engine_options",
    "insert",
    "release",
    "transaction",
    "tune_sqlite",
    "upsert",
]

WRITE_TIMEOUT_SECONDS = 30.0
"""How long a writer on SQLite waits for another one; on PostgreSQL, as long as it takes."""

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives row ids only to INTEGER PRIMARY KEY."""


WordColumn = Enum(
    StrEnum,
    native_enum=False,
    length=20,
    values_callable=lambda words: [word.value for word in words],
)
"""A StrEnum is kept as its word; a new word needs no change of the table."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database. A naive time is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table is made from. (Flask-SQLAlchemy's `Model` adds only `query`, which the
    tenant guard makes needless, and hides the columns' types.)"""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: UtcDateTime, int: BigId, StrEnum: WordColumn},
    )


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={
        "class_": GuardedSession,
        "expire_on_commit": False,
        "autoflush": False,
    },
)


# --- The unit of work -------------------------------------------------------------------


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


def insert(table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT, in the words of the database in use.

    Of many rows at once: left out, an empty value would part them into a statement for each
    set of columns that have one.
    """
    dialect = db.engine.dialect.name
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.execution_options(render_nulls=True)


def upsert(
    table: type[Base],
    unique: Sequence[str],
    updated: Sequence[str],
    index_where: ColumnElement[bool] | None = None,
    newer: Sequence[str] = (),
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that updates the columns `updated` of a row with the same `unique` ones.

    Unless that row is another tenant's: the guard sees what is inserted, not what it meets. Nor
    if one of the times `newer` is later there.
    """
    statement = insert(table)
    new, old = statement.excluded, table.__table__.c
    same_tenant = new.tenant_id == old.tenant_id
    return statement.on_conflict_do_update(
        index_elements=unique,
        index_where=index_where,
        set_={name: new[name] for name in updated},
        where=and_(same_tenant, *(new[name] >= old[name] for name in newer)),
    )


def add_rows(
    session: Session,
    table: type[Base],
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert rows by the thousand, as quickly as the database takes them.

    `same` are the values that are equal in all rows. This goes past the session and its guard,
    so the rows are made the scope's tenant's here. A row that is there already is an error. Values
    that SQLite keeps in a form of its own, such as dates, must be hashable.
    """
    connection = session.connection()
    common = {"tenant_id": get_tenant_id(), **same}
    names = (*common, *columns)
    if connection.dialect.name == "postgresql":
        first = tuple(v.isoformat() if isinstance(v, date) else v for v in common.values())
        statement = f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN"
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row((*first, *row))
        return
    # Column by column: many times quicker than row by row.
    given = (*map(repeat, common.values()), *zip(*rows, strict=True))
    if len(given) == len(common):
        return  # no row
    stored = [_stored(table, name, connection.dialect) for name in names]
    values = [
        column if store is None else map(store, column)
        for store, column in zip(stored, given, strict=True)
    ]
    places = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({places})"  # noqa: S608  # names of ours
    connection.exec_driver_sql(statement, list(zip(*values, strict=False)))


def _stored(table: type[Base], name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of the column one that the driver takes; None where it is one already.

    It remembers: of thousands of rows, most have the dates of others.
    """
    kind = table.__table__.c[name].type
    store = kind.dialect_impl(dialect).bind_processor(dialect)
    return store and cache(store)


def release() -> None:
    """End the read snapshot and hand the connection back, before slow work elsewhere."""
    db.session.rollback()


def engine_options(database_url: str) -> dict[str, Any]:
    """A PostgreSQL that is away is told in seconds, and one that came back costs no request. What a
    failed statement was to store stays out of its error, and so out of the log."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return {"hide_parameters": True}
    limits = {"connect_timeout": "3", "tcp_user_timeout": "10000"}
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "connect_args": {name: limits[name] for name in limits if name not in url.query},
    }


def tune_sqlite(engine: Engine) -> None:
    """WAL so that readers and the writer do not wait for each other; see `transaction`."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {int(WRITE_TIMEOUT_SECONDS * 1000)}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        milliseconds = int(options.get("timeout", WRITE_TIMEOUT_SECONDS) * 1000)
        if connection.info.get("busy_timeout") != milliseconds:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
            connection.info["busy_timeout"] = milliseconds
        connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))
