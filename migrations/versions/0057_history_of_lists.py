"""Lists of a past day are rebuilt from the changes since, and from what was removed since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

CHANGES, REMOVED = "ix_asset_changes_of_lists", "ix_removed_assets_removed_at"
OF_LISTS = sa.text(
    "\"column\" IN ('', 'name', 'client_id', 'asset_type', 'site_name', 'os_type', 'serial_number',"
    " 'description', 'rmm_device_id', 'missing_since', 'retired_at')"
    " AND action NOT IN ('created', 'released')"
)


def upgrade() -> None:
    op.create_index(
        CHANGES,
        "asset_changes",
        ["tenant_id", "at"],
        sqlite_where=OF_LISTS,
        postgresql_where=OF_LISTS,
    )
    op.create_index(REMOVED, "removed_assets", ["tenant_id", "removed_at"])


def downgrade() -> None:
    op.drop_index(REMOVED, "removed_assets")
    op.drop_index(CHANGES, "asset_changes")
