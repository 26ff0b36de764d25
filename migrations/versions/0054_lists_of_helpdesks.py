"""What a helpdesk last said of its queues, customers and priorities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "helpdesks", sa.Column("lists", sa.JSON(), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column("helpdesks", sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("helpdesks") as batch:
        batch.drop_column("listed_at")
        batch.drop_column("lists")
