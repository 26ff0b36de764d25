"""The preview of an undo is planned once, and its pages are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "revert_pages",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("total", NUMBER, nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("kept", NUMBER, nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["sync_runs.id"],
            name=op.f("fk_revert_pages_run_id_sync_runs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_revert_pages_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revert_pages")),
    )
    op.create_index(op.f("ix_revert_pages_made_at"), "revert_pages", ["made_at"])
    op.create_index(
        op.f("ix_revert_pages_run_id_revert_pages_number"), "revert_pages", ["run_id", "number"]
    )


def downgrade() -> None:
    op.drop_table("revert_pages")
