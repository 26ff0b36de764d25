"""What each client had when a day was over, and an index of when alerts were resolved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OF_ASSETS = ("online", "offline", "overdue", "unknown", "missing")
_MORE_OF_ASSETS = ("workstation", "server", "reboots_due", "installs")
_OF_ALERTS = tuple(
    f"{what}_{severity}"
    for what in ("raised", "resolved")
    for severity in ("error", "warning", "info")
)


def upgrade() -> None:
    op.create_table(
        "daily_counts",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("client_id", _BIG, nullable=True),
        *(sa.Column(name, _BIG, nullable=True) for name in (*_OF_ASSETS, *_MORE_OF_ASSETS)),
        *(sa.Column(name, _BIG, nullable=False) for name in _OF_ALERTS),
        sa.Column("tenant_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_daily_counts_client_id_clients"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_daily_counts_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_counts")),
        sa.UniqueConstraint(
            "tenant_id", "day", "client_id", name=op.f("uq_daily_counts_tenant_id_day_client_id")
        ),
    )
    op.create_index(
        op.f("ix_daily_counts_client_id_daily_counts_day"), "daily_counts", ["client_id", "day"]
    )
    op.create_index(
        op.f("ix_alert_handlings_tenant_id_alert_handlings_over_at"),
        "alert_handlings",
        ["tenant_id", "over_at"],
    )
    # What is connected already is counted as well; at once, as far back as its alerts are known.
    op.execute(
        "INSERT INTO schedules (tenant_id, integration_id, kind, every_seconds, next_due_at) "
        "SELECT tenant_id, id, 'count_days', 86400, CURRENT_TIMESTAMP "
        "FROM rmm_integrations WHERE state = 'active' AND set_aside_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM schedules WHERE kind = 'count_days'")
    op.drop_index(op.f("ix_alert_handlings_tenant_id_alert_handlings_over_at"), "alert_handlings")
    op.drop_table("daily_counts")
