"""Which assets a run deletes for good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sync_runs", sa.Column("asset_ids", sa.JSON()))


def downgrade() -> None:
    op.drop_column("sync_runs", "asset_ids")
