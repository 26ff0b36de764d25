"""An index for the foreign key from software on assets to its title."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_asset_software_title_id", "asset_software", ["title_id"])


def downgrade() -> None:
    op.drop_index("ix_asset_software_title_id", "asset_software")
