"""The database's own state: made when empty, refused when it is not at our revision.

What it takes (Alembic and its own) is 9 MB, which workers do without: they import none of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_migrate import Migrate, upgrade
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from portal.config import Settings
from portal.db import db, engine_options, follow_scope
from portal.errors import ConfigError

NOT_ALLOWED = "42501"
"""PostgreSQL's word for what a role may not do."""
LARGEST_ID = 2**63 - 1
"""Of a row, in either database."""

_PACKAGE = Path(__file__).parents[1]
MIGRATIONS = _PACKAGE / "migrations"
"""A wheel has them within the package, the repository beside it."""
if not MIGRATIONS.is_dir():
    MIGRATIONS = _PACKAGE.parent / "migrations"

migrate = Migrate()


def init_app(app: Flask) -> None:
    """Let the application be migrated, by the functions below and by `flask db`."""
    migrate.init_app(app, db, directory=str(MIGRATIONS))


def upgrade_database(app: Flask) -> None:
    """To the newest revision. Raises ConfigError where the role may not change the tables."""
    init_app(app)
    with app.app_context():
        _upgrade()


def _upgrade() -> None:
    try:
        upgrade()
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != NOT_ALLOWED:
            raise
        role = _owner_url().username or "in use"
        raise ConfigError(
            f"The database must be upgraded to revision {get_head()}, but the role {role} does "
            "not own its tables. Set DATABASE_OWNER_URL to the role that does, and run "
            "`portal migrate`."
        ) from error


@contextmanager
def owner_engine() -> Iterator[Engine]:
    """Of the role that changes the tables, which may be another one than the portal's."""
    url = _owner_url()
    if url == db.engine.url:
        yield db.engine
        return
    engine = create_engine(url, **engine_options(url.render_as_string(hide_password=False)))
    follow_scope(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _owner_url() -> URL:
    settings: Settings = current_app.extensions["settings"]
    if settings.is_sqlite or not settings.database_owner_url:
        return db.engine.url
    return make_url(settings.database_owner_url)


def prepare_database() -> None:
    """Bring an empty database to our revision. Raises ConfigError when another one is there."""
    _make_folder()
    found = find_revision()
    if found is None:
        _upgrade()
    elif found != get_head():
        raise ConfigError(
            f"The database is at revision {found}, but this portal needs {get_head()}. "
            "Run `portal migrate` first."
        )


def close_database() -> None:
    """At the end of a process that made an application for itself alone."""
    db.session.remove()
    for engine in db.engines.values():
        engine.dispose()


def _make_folder() -> None:
    """SQLite makes its file, but not the folder it lies in."""
    if db.engine.dialect.name != "sqlite" or not db.engine.url.database:
        return
    folder = Path(db.engine.url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be created: {error.strerror}.") from error


def find_revision() -> str | None:
    """The revision of the database's tables; None when there are none."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def get_head() -> str:
    config = current_app.extensions["migrate"].migrate.get_config()
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    return head


def is_ready() -> bool:
    try:
        return find_revision() == get_head()
    except SQLAlchemyError:
        return False
