"""Leases of what a process works at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LEASED = ("connection_tests", "webhook_installations")
CLAIMED = ("webhook_deliveries", "event_subscribers")


def upgrade() -> None:
    for table in (*LEASED, *CLAIMED):
        op.add_column(table, sa.Column("lease", sa.String(), nullable=True))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for table in LEASED:
        op.add_column(
            table, sa.Column("fencing_number", number, server_default="0", nullable=False)
        )
        op.add_column(table, sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in LEASED:
        for name in ("heartbeat_at", "fencing_number"):
            with op.batch_alter_table(table) as batch:
                batch.drop_column(name)
    for table in (*LEASED, *CLAIMED):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("lease")
