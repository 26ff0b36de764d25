"""The history of assets is found by the run that made it, so that the run can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INDEX = "ix_asset_changes_run_id_asset_id"
HAS_RUN = sa.text("run_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        INDEX,
        "asset_changes",
        ["run_id", "asset_id"],
        sqlite_where=HAS_RUN,
        postgresql_where=HAS_RUN,
    )


def downgrade() -> None:
    op.drop_index(INDEX, "asset_changes")
