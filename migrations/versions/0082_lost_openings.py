"""When an attempt to open a ticket began whose answer was lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_tasks", sa.Column("lost_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("ticket_tasks") as batch:
        batch.drop_column("lost_at")
