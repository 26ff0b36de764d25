"""Sign-ins at Tactical that are to be ended there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "rmm_ended_sign_ins",
        sa.Column("id", big, nullable=False),
        sa.Column("integration_id", big, nullable=False),
        sa.Column("base_url", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", big, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_rmm_ended_sign_ins_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rmm_ended_sign_ins_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rmm_ended_sign_ins")),
    )
    with op.batch_alter_table("rmm_ended_sign_ins", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rmm_ended_sign_ins_next_try_at"),
            ["next_try_at"],
            unique=False,
        )


def downgrade() -> None:
    op.drop_table("rmm_ended_sign_ins")
    op.execute("DELETE FROM secrets WHERE owner = 'rmm_ended_sign_ins'")
