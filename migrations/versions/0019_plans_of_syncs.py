"""What a sync would do, kept until a person decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


BRAKE = (("brake_percent", "20"), ("brake_assets", "5"))


def upgrade() -> None:
    for name, default in BRAKE:
        column = sa.Column(name, NUMBER, server_default=default, nullable=False)
        op.add_column("rmm_integrations", column)
    op.create_table(
        "sync_plans",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("integration_id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_sync_plans_integration_id_rmm_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["sync_runs.id"],
            name=op.f("fk_sync_plans_run_id_sync_runs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_sync_plans_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_plans")),
    )
    op.create_index(
        op.f("ix_sync_plans_tenant_id_sync_plans_id"), "sync_plans", ["tenant_id", "id"]
    )
    op.create_index(op.f("ix_sync_plans_integration_id"), "sync_plans", ["integration_id"])
    op.create_index(op.f("ix_sync_plans_run_id"), "sync_plans", ["run_id"])
    op.create_table(
        "sync_plan_rows",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("plan_id", NUMBER, nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["sync_plans.id"],
            name=op.f("fk_sync_plan_rows_plan_id_sync_plans"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_sync_plan_rows_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_plan_rows")),
    )
    for ordered_by in ("id", "action", "agent_id"):
        index = f"sync_plan_rows_{ordered_by}"
        op.create_index(
            op.f(f"ix_sync_plan_rows_plan_id_{index}"), "sync_plan_rows", ["plan_id", ordered_by]
        )


def downgrade() -> None:
    op.drop_table("sync_plan_rows")
    op.drop_table("sync_plans")
    with op.batch_alter_table("rmm_integrations") as batch:
        for name, _default in BRAKE:
            batch.drop_column(name)
