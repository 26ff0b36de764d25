"""Links that give somebody a place in a tenant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLE = "invitations"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("invited_by", NUMBER, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        _refer("tenant_id", "tenants"),
        _refer("invited_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f(f"uq_{TABLE}_tenant_id_email")),
        sa.UniqueConstraint("token_digest", name=op.f(f"uq_{TABLE}_token_digest")),
    )
    op.create_index(op.f(f"ix_{TABLE}_invited_by"), TABLE, ["invited_by"])


def downgrade() -> None:
    op.drop_table(TABLE)


def _refer(column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{TABLE}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
