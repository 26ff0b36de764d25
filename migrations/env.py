"""Runs the revisions on the application's own engine. Called by Flask-Migrate."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection, Enum, text

from portal.db import UtcDateTime

ADVISORY_LOCK = 7_305_201
"""Any number: two hosts that start at once migrate one after the other."""


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Plain types in revisions: the custom ones live on and may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def run_migrations() -> None:
    migrate = current_app.extensions["migrate"]
    with migrate.db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # A batch operation drops the old table, which would cascade to its children.
            # The pragma does nothing inside a transaction, so it goes past SQLAlchemy.
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
            # What a revision encrypts or wipes shall be gone from the file as well.
            connection.connection.cursor().execute("PRAGMA secure_delete = ON")
            connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        try:
            migrate_with(connection, migrate)
            if connection.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.invalidate()  # the next one gets its foreign keys back


def migrate_with(connection: Connection, migrate: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=migrate.db.metadatas[None],
        render_item=render_item,
        transactional_ddl=True,  # on SQLite too, since portal.db sends BEGIN itself
        **migrate.configure_args,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        context.run_migrations()


run_migrations()
