"""Views of lists, and how lists look for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "memberships",
        sa.Column("list_choices", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("membership_id", _BIG, nullable=True),
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False, server_default=""),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("tenant_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["memberships.id"],
            name=op.f("fk_saved_views_membership_id_memberships"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_saved_views_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    for column in ("tenant_id", "membership_id"):
        op.create_index(op.f(f"ix_saved_views_{column}"), "saved_views", [column])


def downgrade() -> None:
    op.drop_table("saved_views")
    with op.batch_alter_table("memberships") as batch:
        batch.drop_column("list_choices")
