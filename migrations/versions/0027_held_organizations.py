"""Organizations that too many others went with: a person decides whether they are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLE = "rmm_organization_mappings"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("held_since", sa.DateTime(timezone=True)))
    op.add_column(TABLE, sa.Column("kept_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column(TABLE, "kept_at")
    op.drop_column(TABLE, "held_since")
