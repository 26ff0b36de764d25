"""Since when a person is to look at a preview: only what is decided after that counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rmm_integrations", sa.Column("preview_due_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("rmm_integrations", "preview_due_at")
