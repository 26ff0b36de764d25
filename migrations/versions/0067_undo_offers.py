"""Offers to take back what somebody has just done, and since when an asset has a tag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("asset_tags", sa.Column("added_at", _TIME, nullable=True))
    op.create_table(
        "undo_offers",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("pressed_at", _TIME, nullable=True),
        sa.Column("tenant_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_undo_offers_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_undo_offers_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undo_offers")),
    )
    op.create_index(
        op.f("ix_undo_offers_tenant_id_undo_offers_made_at"),
        "undo_offers",
        ["tenant_id", "made_at"],
    )
    op.create_index(op.f("ix_undo_offers_user_id"), "undo_offers", ["user_id"])


def downgrade() -> None:
    op.drop_table("undo_offers")
    with op.batch_alter_table("asset_tags") as batch:
        batch.drop_column("added_at")
