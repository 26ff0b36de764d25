"""Writing many rows, or rows that may be there already, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, and_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.db.columns import Base
from portal.db.session import db
from portal.scope import get_tenant_id


def insert(table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT, in the dialect of the database in use.

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
    # Column by column: many times quicker than row by row.
    by_column = tuple(zip(*rows, strict=True))
    if not by_column:
        return  # no row
    if connection.dialect.name == "postgresql":
        _add_columns(connection, table, common, dict(zip(columns, by_column, strict=True)))
        return
    given = (*map(repeat, common.values()), *by_column)
    stored = [_stored(table, name, connection.dialect) for name in names]
    values = [
        column if store is None else map(store, column)
        for store, column in zip(stored, given, strict=True)
    ]
    places = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({places})"  # noqa: S608  # names of ours
    connection.exec_driver_sql(statement, list(zip(*values, strict=False)))


def _add_columns(
    connection: Connection,
    table: type[Base],
    common: Mapping[str, Any],
    given: Mapping[str, Sequence[Any]],
) -> None:
    """From an array for each column. (COPY, a little quicker, is refused where a table has
    policies.)"""
    columns = table.__table__.c
    kinds = [columns[name].type.compile(connection.dialect) for name in (*common, *given)]
    firsts = ", ".join(f"%s::{kind}" for kind in kinds[: len(common)])
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds[len(common) :])
    names = ", ".join((*common, *given))
    statement = f"INSERT INTO {table.__tablename__} ({names}) SELECT {firsts}, u.* FROM unnest({arrays}) AS u"  # noqa: S608, E501  # names of ours
    connection.exec_driver_sql(statement, (*common.values(), *map(list, given.values())))


def _stored(table: type[Base], name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of the column one that the driver takes; None where it is one already.

    It remembers: of thousands of rows, most have the dates of others.
    """
    kind = table.__table__.c[name].type
    store = kind.dialect_impl(dialect).bind_processor(dialect)
    return store and cache(store)
