"""Notes of assets, and where Tactical's web interface is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assets", sa.Column("note", sa.String(), nullable=True))
    op.add_column("assets", sa.Column("note_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assets", sa.Column("note_by", sa.String(), nullable=True))
    op.add_column(
        "rmm_integrations",
        sa.Column("dashboard_url", sa.String(), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("rmm_integrations", "dashboard_url")
    for name in ("note_by", "note_at", "note"):
        op.drop_column("assets", name)
