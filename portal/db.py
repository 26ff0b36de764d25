"""The database: base class, column types, the tenant guard and the unit of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    ClauseElement,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    mapped_column,
    registry,
    with_loader_criteria,
)
from sqlalchemy.sql import util as sql_util
from sqlalchemy.types import TypeDecorator

from portal.scope import EVERYONE, ScopeMissing, current_scope

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives row ids only to INTEGER PRIMARY KEY."""


def utc_now() -> datetime:
    return datetime.now(UTC)


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


class TenantOwned:
    """A row that belongs to one tenant. Nothing reads or writes it outside a scope."""

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False, "autoflush": False},
)


# --- The tenant guard -------------------------------------------------------------------


@event.listens_for(Session, "do_orm_execute")
def _guard_statement(state: ORMExecuteState) -> None:
    """Add the scope to every statement; refuse one that would escape it."""
    if state.is_column_load or state.is_relationship_load:
        return  # the criteria of the statement that loaded the parent still hold
    scope = current_scope()
    if scope is EVERYONE:
        return
    owned = [table for table in _tables_of(state) if "tenant_id" in table.columns]
    if not owned:
        return
    if scope is None:
        raise ScopeMissing(f"No tenant scope for a statement on {owned[0].name}.")
    if state.is_insert:
        _check_inserted_rows(state.parameters, scope)
        return
    if not state.is_orm_statement:
        raise ScopeMissing(f"Use mapped classes, not bare tables, to reach {owned[0].name}.")
    state.statement = state.statement.options(
        with_loader_criteria(TenantOwned, lambda cls: cls.tenant_id == scope, include_aliases=True)
    )


def _tables_of(state: ORMExecuteState) -> list[Table]:
    if not isinstance(state.statement, ClauseElement):
        return []
    found = sql_util.find_tables(
        state.statement,
        include_aliases=False,
        include_joins=False,
        include_selects=True,
        include_crud=True,
    )
    return [table for table in found if isinstance(table, Table)]


def _check_inserted_rows(
    parameters: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None, scope: object
) -> None:
    rows = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
    if any(row.get("tenant_id") != scope for row in rows):
        raise ScopeMissing("A bulk insert must name the scope's tenant_id in every row.")


@event.listens_for(Session, "before_flush")
def _guard_flush(session: Session, _context: object, _instances: object) -> None:
    scope = current_scope()
    if scope is EVERYONE:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, TenantOwned):
            continue
        owner: int | None = row.tenant_id
        if owner is None and isinstance(scope, int):
            owner = row.tenant_id = scope
        if owner != scope:
            raise ScopeMissing(f"A {type(row).__name__} of tenant {owner} in scope {scope}.")


# --- The unit of work -------------------------------------------------------------------


@contextmanager
def transaction() -> Iterator[Session]:
    """All or nothing: commits at the end of the block, rolls back when it raises.

    Takes the write lock at once: a SQLite transaction that reads first and writes later
    fails when another connection wrote in between, however long the busy timeout.
    Does not nest: a service, or the engine for each page, owns its transaction, and nothing
    it calls opens another.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("A transaction is already open.")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("There are changes made outside a transaction.")
    session.rollback()  # ends the read snapshot left by earlier queries
    session.info["in_transaction"] = True
    try:
        session.connection(execution_options={"sqlite_begin": "BEGIN IMMEDIATE"})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


def insert(table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT, in the words of the database in use."""
    dialect = db.engine.dialect.name
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def release() -> None:
    """End the read snapshot and hand the connection back, before slow work elsewhere."""
    db.session.rollback()


def tune_sqlite(engine: Engine) -> None:
    """WAL so that readers and the writer do not wait for each other; see `transaction`."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late
        cursor = connection.cursor()
        for pragma in (
            "busy_timeout = 30000",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
