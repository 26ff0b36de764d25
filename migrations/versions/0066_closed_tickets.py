"""An index by which tickets are found that were closed lately."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_INDEX = "ix_tickets_closed"


def upgrade() -> None:
    is_closed = sa.text("status = 'closed'")
    op.create_index(
        _INDEX,
        "tickets",
        ["helpdesk_id", "closed_at"],
        sqlite_where=is_closed,
        postgresql_where=is_closed,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "tickets")
