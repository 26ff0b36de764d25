"""In which shape an offer to undo keeps what it takes back. Those of older versions have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    shape = sa.Column("shape", number, nullable=False, server_default=sa.text("0"))
    op.add_column("undo_offers", shape)


def downgrade() -> None:
    with op.batch_alter_table("undo_offers") as batch:
        batch.drop_column("shape")
