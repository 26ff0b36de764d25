"""Which mail brings an invitation, or the link to a new password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("invitations", "password_resets")
_COLUMN = "message_id"


def upgrade() -> None:
    for table in _TABLES:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column(_COLUMN, _NUMBER, nullable=True))
            batch.create_foreign_key(
                op.f(f"fk_{table}_{_COLUMN}_messages"),
                "messages",
                [_COLUMN],
                ["id"],
                ondelete="SET NULL",
            )
            batch.create_index(op.f(f"ix_{table}_{_COLUMN}"), [_COLUMN])


def downgrade() -> None:
    for table in _TABLES:
        with op.batch_alter_table(table) as batch:
            batch.drop_index(op.f(f"ix_{table}_{_COLUMN}"))
            batch.drop_constraint(op.f(f"fk_{table}_{_COLUMN}_messages"), type_="foreignkey")
            batch.drop_column(_COLUMN)
