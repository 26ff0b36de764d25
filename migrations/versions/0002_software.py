"""Software, and the status of a whole fleet at a glance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RUN_INDEXES = {
    "ix_sync_runs_tenant_id_sync_runs_id": ["tenant_id", "id"],
    "ix_sync_runs_tenant_id_sync_runs_kind_sync_runs_id": ["tenant_id", "kind", "id"],
    "ix_sync_runs_status_sync_runs_tenant_id_sync_runs_id": ["status", "tenant_id", "id"],
}


def upgrade() -> None:
    op.create_table(
        "software_catalog",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("normalized_name", sa.String(), nullable=False),
        sa.Column("publisher", sa.String(), nullable=False),
        sa.Column(
            "asset_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "version_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_software_catalog_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_software_catalog")),
        sa.UniqueConstraint(
            "tenant_id",
            "normalized_name",
            "publisher",
            name=op.f("uq_software_catalog_tenant_id_normalized_name_publisher"),
        ),
    )
    with op.batch_alter_table("software_catalog", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_software_catalog_tenant_id_software_catalog_asset_count"),
            ["tenant_id", "asset_count"],
            unique=False,
        )

    op.create_table(
        "asset_software",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_asset_software_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_asset_software_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["title_id"],
            ["software_catalog.id"],
            name=op.f("fk_asset_software_title_id_software_catalog"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_software")),
        sa.UniqueConstraint(
            "asset_id",
            "title_id",
            "version",
            name=op.f("uq_asset_software_asset_id_title_id_version"),
        ),
    )
    with op.batch_alter_table("asset_software", schema=None) as batch_op:
        batch_op.create_index(
            "ix_asset_software_installed",
            ["title_id", "version", "asset_id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_asset_software_removed",
            ["title_id", "version", "asset_id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NOT NULL"),
            postgresql_where=sa.text("removed_at IS NOT NULL"),
        )

    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("software_read_at", sa.DateTime(timezone=True), nullable=True)
        )

    with op.batch_alter_table("rmm_integrations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "status_sweep_minutes",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="5",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column(
                "software_sync_minutes",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="1440",
                nullable=False,
            )
        )

    with op.batch_alter_table("sync_runs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "removed",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="0",
                nullable=False,
            )
        )
        batch_op.drop_index(batch_op.f("ix_sync_runs_tenant_id_sync_runs_created_at"))
        for name, columns in RUN_INDEXES.items():
            batch_op.create_index(batch_op.f(name), columns, unique=False)

    # What is connected already gets its new regular work, due at once.
    add_schedule = sa.text(
        "INSERT INTO schedules (tenant_id, integration_id, kind, every_seconds, next_due_at) "
        "SELECT tenant_id, id, :kind, :seconds, CURRENT_TIMESTAMP "
        "FROM rmm_integrations WHERE state = 'active' AND set_aside_at IS NULL"
    )
    op.execute(add_schedule.bindparams(kind="status", seconds=300))
    op.execute(add_schedule.bindparams(kind="software", seconds=86400))
    op.execute(add_schedule.bindparams(kind="prune_runs", seconds=86400))


def downgrade() -> None:
    op.execute("DELETE FROM schedules WHERE kind IN ('status', 'software', 'prune_runs')")
    with op.batch_alter_table("sync_runs", schema=None) as batch_op:
        for name in RUN_INDEXES:
            batch_op.drop_index(batch_op.f(name))
        batch_op.create_index(
            batch_op.f("ix_sync_runs_tenant_id_sync_runs_created_at"),
            ["tenant_id", "created_at"],
            unique=False,
        )
        batch_op.drop_column("removed")

    with op.batch_alter_table("rmm_integrations", schema=None) as batch_op:
        batch_op.drop_column("software_sync_minutes")
        batch_op.drop_column("status_sweep_minutes")

    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_column("software_read_at")

    with op.batch_alter_table("asset_software", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_asset_software_removed",
            sqlite_where=sa.text("removed_at IS NOT NULL"),
            postgresql_where=sa.text("removed_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_asset_software_installed",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.drop_table("asset_software")
    with op.batch_alter_table("software_catalog", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_software_catalog_tenant_id_software_catalog_asset_count")
        )

    op.drop_table("software_catalog")
