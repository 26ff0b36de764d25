"""When a server's certificate ends, who has chosen which notices to get, and notices that may be
over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_NEW = (
    ("rmm_integrations", "certificate_ends_at"),
    ("memberships", "notices_chosen_at"),
    ("notices", "calm_since"),
)


def upgrade() -> None:
    for table, column in _NEW:
        op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table, column in _NEW:
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
