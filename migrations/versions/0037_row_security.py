"""PostgreSQL keeps the tenants' rows apart: `migrations/env.py` gives each of their tables, this
revision's and those of later ones, its policies."""

from __future__ import annotations

from alembic import op

from portal.db.row_security import open_tables

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All of it is done after the last revision."""


def downgrade() -> None:
    """The portal of before does not tell the database whose rows it means."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        open_tables(connection)
