"""What each tenant's webhook takes up, and how much of it was too much."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HAS_SETTLED_BODY = sa.text("status <> 'pending' AND kept_bytes > 0")
SUM_UP = """
    INSERT INTO webhook_usage (tenant_id, body_bytes, busy_until, refused, must_reconcile)
    SELECT tenant_id, sum(kept_bytes), 0, 0, false FROM webhook_deliveries GROUP BY tenant_id
"""


def upgrade() -> None:
    op.create_table(
        "webhook_usage",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.Column("body_bytes", NUMBER, nullable=False),
        sa.Column("busy_until", sa.Float(53), nullable=False),
        sa.Column("refused", NUMBER, nullable=False),
        sa.Column("refused_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("must_reconcile", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_webhook_usage_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_usage")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_webhook_usage_tenant_id")),
    )
    op.add_column(
        "webhook_deliveries", sa.Column("kept_bytes", NUMBER, server_default="0", nullable=False)
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    length = "length(CAST(body AS BLOB))" if is_sqlite else "octet_length(body)"
    op.execute(f"UPDATE webhook_deliveries SET kept_bytes = {length}")  # noqa: S608  # words of ours
    op.execute(SUM_UP)
    op.create_index(
        "ix_webhook_deliveries_bodies",
        "webhook_deliveries",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=HAS_SETTLED_BODY,
        postgresql_where=HAS_SETTLED_BODY,
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_deliveries_bodies", table_name="webhook_deliveries")
    with op.batch_alter_table("webhook_deliveries") as batch:
        batch.drop_column("kept_bytes")
    op.drop_table("webhook_usage")
