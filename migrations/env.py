"""Runs the revisions on the application's own engine. Called by Flask-Migrate."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection, Engine, Enum, text

from portal.db import UtcDateTime
from portal.db.row_security import grant_tables, protect_tables
from portal.scope import all_tenants
from portal.services.database import owner_engine

ADVISORY_LOCK = 7_305_201
"""Any number: two hosts that start at once migrate one after the other."""
FIRST_PROTECTED = "0037"
"""The revision from which on PostgreSQL keeps tenants' rows apart."""


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Plain types in revisions: the custom ones live on and may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def run_migrations() -> None:
    migrate = current_app.extensions["migrate"]
    # Across tenants: what a revision does to rows it does to everyone's.
    with owner_engine() as engine, engine.connect() as connection, all_tenants():
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
        if connection.dialect.name == "postgresql":
            secure_tables(connection, migrate.db.engine)


def secure_tables(connection: Connection, engine: Engine) -> None:
    """What the revisions made, for the role that runs the portal and for it alone."""
    if (context.get_context().get_current_revision() or "") >= FIRST_PROTECTED:
        protect_tables(connection)
    own_role = connection.exec_driver_sql("SELECT current_user").scalar_one()
    with engine.connect() as running:
        role = running.exec_driver_sql("SELECT current_user").scalar_one()
    if role != own_role:
        grant_tables(connection, role)


run_migrations()
