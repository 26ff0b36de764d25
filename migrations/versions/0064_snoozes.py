"""Who snoozed an alert in the portal alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_INDEX = "ix_rmm_alerts_snoozed_here"


def upgrade() -> None:
    op.add_column("rmm_alerts", sa.Column("snoozed_by", sa.String(), nullable=True))
    is_ours = sa.text("snoozed_by IS NOT NULL")
    op.create_index(
        _INDEX,
        "rmm_alerts",
        ["tenant_id", "snoozed_until"],
        sqlite_where=is_ours,
        postgresql_where=is_ours,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "rmm_alerts")
    op.drop_column("rmm_alerts", "snoozed_by")
