"""Runs of chosen agents, and the pace of every run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FORGET_NAMES = """
    UPDATE sync_log_entries SET external_id = ''
    WHERE action = 'failed' AND external_id <> '' AND external_id = name AND run_id IN
        (SELECT id FROM sync_runs WHERE kind IN ('devices', 'status', 'agent'))
"""
"""Where an agent's record could not be used, its name stood in place of its id."""


def upgrade() -> None:
    op.add_column("sync_runs", sa.Column("agent_ids", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("sync_runs", sa.Column("paced_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sync_runs", sa.Column("paced_done", NUMBER, server_default="0", nullable=False))
    op.execute(FORGET_NAMES)


def downgrade() -> None:
    for column in ("paced_done", "paced_from", "agent_ids"):
        op.drop_column("sync_runs", column)
