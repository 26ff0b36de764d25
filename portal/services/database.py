"""The database's own state: made when empty, refused when it is not at our revision."""

from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError

from portal.db import db
from portal.errors import ConfigError


def prepare_database() -> None:
    """Bring an empty database to our revision. Raises ConfigError when another one is there."""
    found = find_revision()
    if found is None:
        upgrade()
    elif found != get_head():
        raise ConfigError(
            f"The database is at revision {found}, this portal needs {get_head()}. "
            "Run `portal migrate` first."
        )


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
