from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect

from portal import create_app
from portal.config import read_settings
from portal.db import Base, db
from tests.support.databases import KEYS

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@pytest.fixture
def empty_app(empty_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    environ = {**KEYS, "DATABASE_URL": empty_database_url, "PORTAL_DATA_DIR": str(tmp_path)}
    app = create_app(read_settings(environ))
    with app.app_context():
        yield app
        db.engine.dispose()


@pytest.mark.usefixtures("empty_app")
def test_migrations_make_the_tables_of_the_models() -> None:
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.usefixtures("empty_app")
def test_migrations_can_be_taken_back() -> None:
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    flask_migrate.upgrade()


def test_there_is_one_head_and_revisions_are_numbered() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert len(script.get_heads()) == 1
    assert sorted(revisions) == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
