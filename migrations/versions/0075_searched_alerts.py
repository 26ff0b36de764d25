"""What a search of alerts looks through, in one text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

_TEXT = (
    "lower(coalesce(message, '') || ' ' || coalesce(hostname, '') || ' ' || "
    "coalesce(alert_type, '') || ' ' || coalesce(agent_id, '') || ' ' || "
    "coalesce(external_alert_id, ''))"
)


def upgrade() -> None:
    column = sa.Column("searched", sa.String(), sa.Computed(_TEXT, persisted=True), nullable=False)
    with op.batch_alter_table("rmm_alerts", recreate="auto") as batch:
        batch.add_column(column)


def downgrade() -> None:
    with op.batch_alter_table("rmm_alerts") as batch:
        batch.drop_column("searched")
