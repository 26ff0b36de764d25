"""Alerts are found by whom they are assigned to."""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

INDEX = "ix_alert_handlings_assigned_to"


def upgrade() -> None:
    op.create_index(INDEX, "alert_handlings", ["assigned_to"])


def downgrade() -> None:
    op.drop_index(INDEX, "alert_handlings")
