"""Where somebody signed in, on what, and when they last proved who they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

WORDS = ("device", "address")


def upgrade() -> None:
    for name in WORDS:
        column = sa.Column(name, sa.String(), nullable=False, server_default="")
        op.add_column("user_sessions", column)
    op.add_column("user_sessions", sa.Column("proved_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("user_sessions") as batch:
        for name in (*WORDS, "proved_at"):
            batch.drop_column(name)
