"""An index that tells of an alert whether it was acknowledged and has a ticket."""

from __future__ import annotations

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_NAME = "ix_alert_handlings_present"
_COLUMNS = ["tenant_id", "alert_id", "occurrence", "acknowledged_at"]


def upgrade() -> None:
    op.create_index(op.f(_NAME), "alert_handlings", _COLUMNS, postgresql_include=["id"])


def downgrade() -> None:
    op.drop_index(op.f(_NAME), "alert_handlings")
