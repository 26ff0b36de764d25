"""Alerts without an asset are found by their organization: those of a client are asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

INDEX = "ix_rmm_alerts_unlinked"
HAS_NO_ASSET = sa.text("asset_id IS NULL")


def upgrade() -> None:
    op.create_index(
        INDEX,
        "rmm_alerts",
        ["integration_id", "external_organization_id"],
        sqlite_where=HAS_NO_ASSET,
        postgresql_where=HAS_NO_ASSET,
    )


def downgrade() -> None:
    op.drop_index(INDEX, "rmm_alerts")
