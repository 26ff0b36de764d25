"""Find assets by their serial numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

IS_TOLD = sa.text("serial_key IS NOT NULL")


def upgrade() -> None:
    # PostgreSQL has an index only of what is stored; SQLite adds only what is not.
    is_stored = op.get_bind().dialect.name == "postgresql"
    key = sa.Computed("upper(trim(serial_number))", persisted=is_stored)
    op.add_column("assets", sa.Column("serial_key", sa.String(), key))
    op.create_index(
        "ix_assets_serial_key",
        "assets",
        ["tenant_id", "serial_key"],
        sqlite_where=IS_TOLD,
        postgresql_where=IS_TOLD,
    )


def downgrade() -> None:
    op.drop_index("ix_assets_serial_key", "assets")
    op.drop_column("assets", "serial_key")
