"""Authenticator apps, recovery codes, and sign-ins that wait for their second step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "authenticators",
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.Column("last_step", _BIG, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("confirmed_at", _TIME, nullable=True),
        _belongs_to_user("authenticators"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_authenticators")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        _belongs_to_user("recovery_codes"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])
    op.create_table(
        "pending_sign_ins",
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        _belongs_to_user("pending_sign_ins"),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_pending_sign_ins")),
    )
    for column in ("user_id", "expires_at"):
        op.create_index(op.f(f"ix_pending_sign_ins_{column}"), "pending_sign_ins", [column])


def downgrade() -> None:
    for table in ("pending_sign_ins", "recovery_codes", "authenticators"):
        op.drop_table(table)


def _belongs_to_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")
