"""A database as it was at a moment, to begin from again, on both kinds."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.db import Base, db
from tests.support.databases import connect

TABLES = Base.metadata.sorted_tables


class Saved(Protocol):
    def restore(self) -> None: ...


def save(folder: Path) -> Saved:
    return SavedPostgres() if is_postgres() else SavedFile(folder)


def is_postgres() -> bool:
    return db.engine.dialect.name == "postgresql"


class SavedFile:
    def __init__(self, folder: Path) -> None:
        self._path, self._copy = Path(str(db.engine.url.database)), folder / "saved.db"
        close_all()
        with closing(sqlite3.connect(self._path)) as source:
            source.execute("VACUUM INTO ?", (str(self._copy),))

    def restore(self) -> None:
        close_all()
        copy, own = sqlite3.connect(self._copy), sqlite3.connect(self._path)
        with closing(copy), closing(own):
            copy.backup(own)


class SavedPostgres:
    """Each table's rows as COPY writes them."""

    def __init__(self) -> None:
        close_all()
        with connect_again() as connection:
            self._rows = {table.name: _read(connection, table.name) for table in TABLES}

    def restore(self) -> None:
        close_all()
        with connect_again() as connection:
            connection.execute("SET session_replication_role = replica")  # any order will do
            for name, rows in self._rows.items():
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
                if rows:
                    with connection.cursor().copy(_copy(name, "FROM STDIN")) as copy:
                        copy.write(rows)
            _number_on(connection)


def connect_again() -> psycopg.Connection:
    return connect(str(db.engine.url.database))


def close_all() -> None:
    db.session.remove()
    db.engine.dispose()


_numbering: dict[int, psycopg.Connection] = {}
"""By process: a child must not speak on its parent's. Kept, because a new one reads the catalogue
anew at each commit."""


@contextmanager
def numbering_on() -> Iterator[None]:
    """PostgreSQL takes no number back with what is rolled back, so that ids would differ."""
    if not is_postgres():
        yield
        return
    event.listen(Session, "after_commit", number_on)
    try:
        yield
    finally:
        event.remove(Session, "after_commit", number_on)
        if os.getpid() in _numbering:
            _numbering.pop(os.getpid()).close()


def number_on(session: Session | None = None) -> None:
    """After a commit: the next row gets the next number, whatever was rolled back before. Only
    the thread that works numbers; others commit in the midst of its transactions. A savepoint
    that ends is no commit: nobody sees yet what was numbered in it."""
    if session is not None and session.in_nested_transaction():
        return
    if threading.current_thread() is threading.main_thread():
        if os.getpid() not in _numbering:
            _numbering[os.getpid()] = connect_again()
        _number_on(_numbering[os.getpid()])


def _number_on(connection: psycopg.Connection) -> None:
    next_number = (
        "setval(pg_get_serial_sequence({}, 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {}), false)"
    )
    parts = [
        sql.SQL(next_number).format(table.name, sql.Identifier(table.name))
        for table in TABLES
        if "id" in table.columns
    ]
    query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(parts))
    connection.execute(query, prepare=True)


def _read(connection: psycopg.Connection, name: str) -> bytes:
    with connection.cursor().copy(_copy(name, "TO STDOUT")) as copy:
        return b"".join(copy)


def _copy(name: str, way: str) -> sql.Composed:
    """A table's columns but for those that the database computes."""
    table = Base.metadata.tables[name]
    columns = [sql.Identifier(each.name) for each in table.columns if each.computed is None]
    listed = sql.SQL(", ").join(columns)
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(name), listed, sql.SQL(way))
