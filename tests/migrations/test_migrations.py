from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from portal.db import Base, db

MIGRATIONS = Path(__file__).parents[2] / "migrations"


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


@pytest.mark.usefixtures("empty_app")
def test_the_old_default_of_sweeps_becomes_auto_and_what_was_chosen_stays() -> None:
    flask_migrate.upgrade(revision="0003")
    with db.engine.begin() as connection:
        connection.execute(text(OLD_TENANTS))
        for number, minutes in enumerate((5, 0, 7), start=1):
            given = {"number": number, "minutes": minutes, "now": datetime.now(UTC)}
            connection.execute(text(OLD_INTEGRATION), given)
    flask_migrate.upgrade()
    assert list_sweep_minutes() == [None, 0, 7]
    flask_migrate.downgrade(revision="0003")
    assert list_sweep_minutes() == [5, 0, 7]


OLD_TENANTS = (
    "INSERT INTO tenants (id, name, slug, created_at) VALUES (1, 'Acme', 'acme', '2026-01-01')"
)
OLD_INTEGRATION = """
    INSERT INTO rmm_integrations (
        id, tenant_id, provider, state, base_url, auth_mode, username, inventory_source, page_size,
        device_sync_minutes, status_sweep_minutes, alert_sync_minutes, alert_history_days,
        delivery_days, server_verified, created_at
    ) VALUES (
        :number, 1, 'rmm' || :number, 'active', '', 'api_key', '', 'auto', 500,
        60, :minutes, 10, 0, 30, false, :now
    )
"""


def list_sweep_minutes() -> list[int | None]:
    with db.engine.connect() as connection:
        query = "SELECT status_sweep_minutes FROM rmm_integrations ORDER BY id"
        return list(connection.execute(text(query)).scalars())


@pytest.mark.usefixtures("empty_app")
def test_an_upgrade_asks_nobody_for_a_preview() -> None:
    """What is synced by schedule is synced as before."""
    flask_migrate.upgrade(revision="0003")
    with db.engine.begin() as connection:
        connection.execute(text(OLD_TENANTS))
        given = {"number": 1, "minutes": 5, "now": datetime.now(UTC)}
        connection.execute(text(OLD_INTEGRATION), given)
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        due = connection.execute(text("SELECT preview_due, preview_due_at FROM rmm_integrations"))
        assert [tuple(row) for row in due] == [(None, None)]
