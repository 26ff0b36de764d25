"""Alerts, webhook deliveries and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_subscribers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "last_event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_event_subscribers_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_subscribers")),
    )
    with op.batch_alter_table("event_subscribers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_event_subscribers_tenant_id"), ["tenant_id"], unique=False
        )

    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_events_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_events_tenant_id_events_id"), ["tenant_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_events_tenant_id_events_type_events_id"),
            ["tenant_id", "type", "id"],
            unique=False,
        )

    op.create_table(
        "agent_refreshes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_agent_refreshes_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_agent_refreshes_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_refreshes")),
    )
    with op.batch_alter_table("agent_refreshes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agent_refreshes_due_at"), ["due_at"], unique=False)
        batch_op.create_index(
            "uq_agent_refreshes_agent_id", ["integration_id", "agent_id"], unique=True
        )

    op.create_table(
        "webhook_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_webhook_keys_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_webhook_keys_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_keys")),
    )
    with op.batch_alter_table("webhook_keys", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_webhook_keys_tenant_id_webhook_keys_integration_id"),
            ["tenant_id", "integration_id"],
            unique=False,
        )

    op.create_table(
        "rmm_alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("external_alert_id", sa.String(), nullable=True),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("external_organization_id", sa.String(), nullable=True),
        sa.Column("hostname", sa.String(), nullable=True),
        sa.Column("alert_type", sa.String(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("triggered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("external_check_id", sa.String(), nullable=True),
        sa.Column("external_task_id", sa.String(), nullable=True),
        sa.Column(
            "occurrences", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_rmm_alerts_asset_id_assets"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_rmm_alerts_integration_id_rmm_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rmm_alerts_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rmm_alerts")),
    )
    with op.batch_alter_table("rmm_alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rmm_alerts_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_rmm_alerts_integration_id_rmm_alerts_agent_id"),
            ["integration_id", "agent_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_rmm_alerts_tenant_id_rmm_alerts_status_rmm_alerts_triggered_at"),
            ["tenant_id", "status", "triggered_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_rmm_alerts_tenant_id_rmm_alerts_triggered_at"),
            ["tenant_id", "triggered_at"],
            unique=False,
        )
        batch_op.create_index(
            "uq_rmm_alerts_external_alert_id",
            ["integration_id", "external_alert_id"],
            unique=True,
            sqlite_where=sa.text("external_alert_id IS NOT NULL"),
            postgresql_where=sa.text("external_alert_id IS NOT NULL"),
        )

    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("event", sa.String(), nullable=True),
        sa.Column("external_alert_id", sa.String(), nullable=True),
        sa.Column("agent_id", sa.String(), nullable=True),
        sa.Column("hint", sa.JSON(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column(
            "body_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("remote_address", sa.String(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "duration_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["rmm_alerts.id"],
            name=op.f("fk_webhook_deliveries_alert_id_rmm_alerts"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_webhook_deliveries_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_webhook_deliveries_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_webhook_deliveries_status_webhook_deliveries_due_at"),
            ["status", "due_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_webhook_deliveries_tenant_id_webhook_deliveries_received_at"),
            ["tenant_id", "received_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f(
                "ix_webhook_deliveries_tenant_id_webhook_deliveries_status_webhook_deliveries_received_at"
            ),
            ["tenant_id", "status", "received_at"],
            unique=False,
        )



def downgrade() -> None:
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f(
                "ix_webhook_deliveries_tenant_id_webhook_deliveries_status_webhook_deliveries_received_at"
            )
        )
        batch_op.drop_index(
            batch_op.f("ix_webhook_deliveries_tenant_id_webhook_deliveries_received_at")
        )
        batch_op.drop_index(batch_op.f("ix_webhook_deliveries_status_webhook_deliveries_due_at"))

    op.drop_table("webhook_deliveries")
    with op.batch_alter_table("rmm_alerts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_rmm_alerts_external_alert_id",
            sqlite_where=sa.text("external_alert_id IS NOT NULL"),
            postgresql_where=sa.text("external_alert_id IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_rmm_alerts_tenant_id_rmm_alerts_triggered_at"))
        batch_op.drop_index(
            batch_op.f("ix_rmm_alerts_tenant_id_rmm_alerts_status_rmm_alerts_triggered_at")
        )
        batch_op.drop_index(batch_op.f("ix_rmm_alerts_integration_id_rmm_alerts_agent_id"))
        batch_op.drop_index(batch_op.f("ix_rmm_alerts_asset_id"))

    op.drop_table("rmm_alerts")
    with op.batch_alter_table("webhook_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_keys_tenant_id_webhook_keys_integration_id"))

    op.drop_table("webhook_keys")
    with op.batch_alter_table("agent_refreshes", schema=None) as batch_op:
        batch_op.drop_index("uq_agent_refreshes_agent_id")
        batch_op.drop_index(batch_op.f("ix_agent_refreshes_due_at"))

    op.drop_table("agent_refreshes")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_tenant_id_events_type_events_id"))
        batch_op.drop_index(batch_op.f("ix_events_tenant_id_events_id"))

    op.drop_table("events")
    with op.batch_alter_table("event_subscribers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_subscribers_tenant_id"))

    op.drop_table("event_subscribers")
