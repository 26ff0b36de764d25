"""Tokens of the API, and the index that serves its list of assets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLE = "api_tokens"
ASSETS_INDEX = "ix_assets_tenant_id_assets_id"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("made_by", NUMBER, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("last_used_from", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        _refer("tenant_id", "tenants", "CASCADE"),
        _refer("made_by", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f(f"uq_{TABLE}_tenant_id_name")),
        sa.UniqueConstraint("token_digest", name=op.f(f"uq_{TABLE}_token_digest")),
    )
    op.create_index(op.f(f"ix_{TABLE}_made_by"), TABLE, ["made_by"])
    op.create_index(op.f(ASSETS_INDEX), "assets", ["tenant_id", "id"])


def downgrade() -> None:
    op.drop_index(op.f(ASSETS_INDEX), "assets")
    op.drop_table(TABLE)


def _refer(column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{TABLE}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)
