"""The id of an asset that is removed is given to no other: its address leads on, and a merge that
is taken back makes it anew. PostgreSQL does so by itself; SQLite wants to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

KEY = "serial_key"
INDEX = "ix_assets_serial_key"


def upgrade() -> None:
    _recreate(sqlite_autoincrement=True)


def downgrade() -> None:
    _recreate(sqlite_autoincrement=False)


def _recreate(sqlite_autoincrement: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    # What the database makes of another column cannot be copied to the new table.
    op.drop_index(INDEX, "assets")
    op.drop_column("assets", KEY)
    options = {"sqlite_autoincrement": sqlite_autoincrement}
    with op.batch_alter_table("assets", recreate="always", table_kwargs=options):
        pass
    key = sa.Computed("upper(trim(serial_number))", persisted=False)
    op.add_column("assets", sa.Column(KEY, sa.String(), key))
    is_told = sa.text(f"{KEY} IS NOT NULL")
    op.create_index(INDEX, "assets", ["tenant_id", KEY], sqlite_where=is_told)
