"""The id of a watch of software that is removed is given to no other: events and notices name it,
and it is the same when it comes back. PostgreSQL does so by itself; SQLite wants to be told."""

from __future__ import annotations

from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _recreate(sqlite_autoincrement=True)


def downgrade() -> None:
    _recreate(sqlite_autoincrement=False)


def _recreate(sqlite_autoincrement: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    options = {"sqlite_autoincrement": sqlite_autoincrement}
    with op.batch_alter_table("software_watches", recreate="always", table_kwargs=options):
        pass
