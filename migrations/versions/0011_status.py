"""Store Tactical's word for a status with the moment of the look; count missing agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IS_MISSING = sa.text("missing_since IS NOT NULL")

MISSING = "SELECT id FROM assets WHERE missing_since IS NOT NULL"
INSTALLED = (
    "FROM asset_software WHERE title_id = software_catalog.id AND removed_at IS NULL "
    f"AND asset_id NOT IN ({MISSING})"
)
RECOUNT = (
    f"UPDATE software_catalog SET asset_count = (SELECT count(DISTINCT asset_id) {INSTALLED}), "  # noqa: S608
    f"version_count = (SELECT count(DISTINCT version) {INSTALLED}) WHERE id IN (SELECT title_id "
    f"FROM asset_software WHERE removed_at IS NULL AND asset_id IN ({MISSING}))"
)
"""What missing assets have counts no more."""


def upgrade() -> None:
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.alter_column("reported_status", new_column_name="agent_status")
        batch_op.add_column(sa.Column("status_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("overdue_from")
        batch_op.drop_column("online_until")
    # What Tactical said, or would have said, at the last sync was stored all along.
    op.execute("UPDATE assets SET status_at = last_rmm_sync_at")
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.alter_column("status_at", nullable=False)
        batch_op.create_index(
            batch_op.f("ix_assets_tenant_id_assets_agent_status"),
            ["tenant_id", "agent_status"],
            unique=False,
        )
        batch_op.create_index(
            "ix_assets_missing",
            ["tenant_id", "id"],
            unique=False,
            sqlite_where=IS_MISSING,
            postgresql_where=IS_MISSING,
        )

    with op.batch_alter_table("sync_runs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "missing",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                server_default="0",
                nullable=False,
            )
        )

    op.execute(RECOUNT)


def downgrade() -> None:
    with op.batch_alter_table("sync_runs", schema=None) as batch_op:
        batch_op.drop_column("missing")

    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_assets_missing", sqlite_where=IS_MISSING, postgresql_where=IS_MISSING
        )
        batch_op.drop_index(batch_op.f("ix_assets_tenant_id_assets_agent_status"))
        batch_op.add_column(sa.Column("online_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("overdue_from", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("status_at")
        batch_op.alter_column("agent_status", new_column_name="reported_status")
