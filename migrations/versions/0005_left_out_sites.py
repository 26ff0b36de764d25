"""Sites that are left out while Tactical fails to list their agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "rmm_left_out_sites",
        sa.Column("id", big, nullable=False),
        sa.Column("integration_id", big, nullable=False),
        sa.Column("external_site_id", big, nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", big, nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_rmm_left_out_sites_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rmm_left_out_sites_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rmm_left_out_sites")),
        sa.UniqueConstraint(
            "integration_id",
            "external_site_id",
            name=op.f("uq_rmm_left_out_sites_integration_id_external_site_id"),
        ),
    )


def downgrade() -> None:
    op.drop_table("rmm_left_out_sites")
