"""The first steps that a tenant skips, and how many alerts a connection test found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tenants",
        sa.Column("steps_skipped", sa.JSON(), nullable=False, server_default=sa.text("'[]'")),
    )
    op.add_column(
        "rmm_integrations",
        sa.Column(
            "found_alerts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
    )


def downgrade() -> None:
    with op.batch_alter_table("rmm_integrations") as batch:
        batch.drop_column("found_alerts")
    with op.batch_alter_table("tenants") as batch:
        batch.drop_column("steps_skipped")
