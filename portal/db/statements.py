"""Writing many rows, or rows that may be there already, on either database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import repeat
from types import MappingProxyType
from typing import Any, cast

import msgspec
from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    Table,
    and_,
    any_,
    literal,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.client_guard import LIMITS
from portal.db.columns import Base
from portal.db.session import db
from portal.scope import EVERYONE, ScopeMissing, current_scope, get_tenant_id


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
    computed: Mapping[str, Any] = MappingProxyType({}),
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that updates the columns `updated` of a row with the same `unique` ones, and gives
    others what `computed` says: a value, or an expression of what is there.

    Unless that row is another tenant's: the guard sees what is inserted, not what it meets. Nor
    if one of the times `newer` is later there.
    """
    statement = insert(table)
    new, old = statement.excluded, table.__table__.c
    same_tenant = new.tenant_id == old.tenant_id
    return statement.on_conflict_do_update(
        index_elements=unique,
        index_where=index_where,
        set_={name: new[name] for name in updated} | dict(computed),
        where=and_(same_tenant, *(new[name] >= old[name] for name in newer)),
    )


def is_among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """`column.in_(values)` of hundreds of values, which PostgreSQL takes as one parameter: many are
    slow to send and to read."""
    if db.engine.dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    return column.in_(list(values))


def add_rows(
    session: Session,
    table: type[Base],
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert rows by the thousand, as quickly as the database takes them.

    `same` are the values that are equal in all rows; a column that is not named has what the
    database gives it, never a default of the model. This goes past the session and its guard, so
    the rows are made the scope's tenant's here; across tenants, `same` says whose they are. A row
    that is there already is an error. Values, but for JSON, must be hashable.
    """
    _write_rows(session, table, same, columns, rows)


def put_rows(
    session: Session,
    table: type[Base],
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    unique: Sequence[str],
    newer: Sequence[str] = (),
) -> None:
    """`add_rows` of rows that may be there already, by the columns `unique`, by which no two of
    them may be the same. Of what is there, `columns` are updated and `same` are left alone; it
    spares what `upsert` does."""
    name = _quoted(session, table.__tablename__)
    updated = [_quoted(session, column) for column in columns if column not in unique]
    kept = [f"excluded.tenant_id = {name}.tenant_id"]
    kept += [f"excluded.{column} >= {name}.{column}" for column in newer]
    conflict = (
        f" ON CONFLICT ({', '.join(unique)})"
        f" DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in updated)}"
        f" WHERE {' AND '.join(kept)}"
    )
    _write_rows(session, table, same, columns, rows, conflict)


def _write_rows(
    session: Session,
    table: type[Base],
    same: Mapping[str, Any],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    conflict: str = "",
) -> None:
    # Column by column: many times quicker than row by row.
    by_column = tuple(zip(*rows, strict=True))
    if not by_column:
        return  # no row
    common, connection = _own(table, same), session.connection()
    firsts = [_store(table, name, [value], connection)[0] for name, value in common.items()]
    given = [
        _store(table, name, values, connection)
        for name, values in zip(columns, by_column, strict=True)
    ]
    names = ", ".join(_quoted(session, name) for name in (*common, *columns))
    begin = f"INSERT INTO {table.__tablename__} ({names})"  # names of ours
    if connection.dialect.name == "postgresql":
        statement = f"{begin} {_select_arrays(table, common, columns, connection)}{conflict}"
        connection.exec_driver_sql(statement, (*firsts, *given))
        return
    statement = f"{begin} VALUES ({', '.join('?' * (len(firsts) + len(given)))}){conflict}"
    values = zip(*map(repeat, firsts), *given, strict=False)
    connection.exec_driver_sql(statement, list(values))


def _own(table: type[Base], same: Mapping[str, Any]) -> dict[str, Any]:
    """With the scope's tenant, as the guard would have it. Raises ScopeMissing."""
    LIMITS.check_insert(cast(Table, table.__table__))
    if current_scope() is EVERYONE:
        return dict(same)
    owner = get_tenant_id()
    if same.get("tenant_id", owner) != owner:
        raise ScopeMissing(f"Rows of {table.__tablename__} for another tenant than the scope's.")
    return {**same, "tenant_id": owner}


def _select_arrays(
    table: type[Base], common: Iterable[str], columns: Iterable[str], connection: Connection
) -> str:
    """Rows from an array for each column, in binary, which takes the driver a tenth of the time of
    text. (COPY, a little quicker, is refused where a table has policies.)"""
    kinds = table.__table__.c
    firsts = [f"%s::{kinds[name].type.compile(connection.dialect)}" for name in common]
    arrays = [f"%b::{kinds[name].type.compile(connection.dialect)}[]" for name in columns]
    return f"SELECT {', '.join(firsts)}, u.* FROM unnest({', '.join(arrays)}) AS u"  # noqa: S608  # names of ours


def _quoted(session: Session, name: str) -> str:
    return session.get_bind().dialect.identifier_preparer.quote(name)


def _store(
    table: type[Base], name: str, values: Sequence[Any], connection: Connection
) -> list[Any]:
    """Values of the column as the driver takes them.

    What was made is remembered: of thousands of rows, most have the dates of others.
    """
    kind = table.__table__.c[name].type
    if isinstance(kind, JSON):
        return [_to_json(value, none_as_null=kind.none_as_null) for value in values]
    store = kind.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return list(values if store is None else map(cache(store), values))


def _to_json(value: Any, *, none_as_null: bool) -> str | None:
    is_null = value is None and none_as_null
    return None if is_null else msgspec.json.encode(value).decode()
