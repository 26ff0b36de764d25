"""Who asked a long errand to stop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("errands", sa.Column("stopped_by", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("errands") as batch:
        batch.drop_column("stopped_by")
