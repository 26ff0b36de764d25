"""Maintenance windows that are deleted stay, for the lists of what they kept back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    deleted = sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("maintenance_windows", deleted)


def downgrade() -> None:
    with op.batch_alter_table("maintenance_windows") as batch:
        batch.drop_column("deleted_at")
