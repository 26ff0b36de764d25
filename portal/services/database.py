"""The database's own state: made when empty, refused when it is not at our revision.

What it takes (Alembic and its own) is 9 MB, which workers do without: they import none of it.
"""

from __future__ import annotations

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_migrate import Migrate, upgrade
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db
from portal.errors import ConfigError

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
    """To the newest revision."""
    init_app(app)
    with app.app_context():
        upgrade()


def prepare_database() -> None:
    """Bring an empty database to our revision. Raises ConfigError when another one is there."""
    _make_folder()
    found = find_revision()
    if found is None:
        upgrade()
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
