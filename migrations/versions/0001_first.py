"""first"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "install_settings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_install_settings")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_clients_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
        sa.UniqueConstraint("tenant_id", "name_key", name=op.f("uq_clients_tenant_id_name_key")),
    )
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
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
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
        sa.UniqueConstraint("tenant_id", "url", name=op.f("uq_event_subscribers_tenant_id_url")),
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
        "memberships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_memberships_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("user_id", "tenant_id", name=op.f("uq_memberships_user_id_tenant_id")),
    )
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memberships_tenant_id"), ["tenant_id"], unique=False)

    op.create_table(
        "rmm_integrations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("base_url", sa.String(), nullable=False),
        sa.Column("auth_mode", sa.String(length=20), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("inventory_source", sa.String(length=20), nullable=False),
        sa.Column(
            "page_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "device_sync_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "alert_sync_minutes",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "alert_history_days",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "delivery_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("server_verified", sa.Boolean(), nullable=False),
        sa.Column(
            "found_organizations",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "found_agents", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("beta_api", sa.Boolean(), nullable=True),
        sa.Column("key_restricted", sa.Boolean(), nullable=True),
        sa.Column("server_version", sa.String(), nullable=True),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("last_error_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rmm_integrations_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rmm_integrations")),
    )
    with op.batch_alter_table("rmm_integrations", schema=None) as batch_op:
        batch_op.create_index(
            "uq_rmm_integrations_tenant_id_provider",
            ["tenant_id", "provider"],
            unique=True,
            sqlite_where=sa.text("set_aside_at IS NULL"),
            postgresql_where=sa.text("set_aside_at IS NULL"),
        )

    op.create_table(
        "secrets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.Column("last_four", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_secrets_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secrets")),
        sa.UniqueConstraint(
            "tenant_id",
            "owner",
            "owner_id",
            "field",
            name=op.f("uq_secrets_tenant_id_owner_owner_id_field"),
        ),
    )
    op.create_table(
        "user_sessions",
        sa.Column("token_digest", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_user_sessions_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_user_sessions")),
    )
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_sessions_last_used_at"), ["last_used_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_user_sessions_user_id"), ["user_id"], unique=False)

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
        "assets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("rmm_provider", sa.String(), nullable=False),
        sa.Column("rmm_device_id", sa.String(), nullable=False),
        sa.Column("rmm_organization_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=True),
        sa.Column("site_name", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("asset_type", sa.String(), nullable=False),
        sa.Column("reported_status", sa.String(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "offline_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "overdue_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("online_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("serial_number", sa.String(), nullable=True),
        sa.Column("os_type", sa.String(), nullable=True),
        sa.Column("os_version", sa.String(), nullable=True),
        sa.Column("agent_version", sa.String(), nullable=True),
        sa.Column("make_model", sa.String(), nullable=True),
        sa.Column("cpu", sa.String(), nullable=True),
        sa.Column("ram_gb", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("graphics", sa.String(), nullable=True),
        sa.Column("physical_disks", sa.String(), nullable=True),
        sa.Column("current_user", sa.String(), nullable=True),
        sa.Column("boot_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lan_ip", sa.String(), nullable=True),
        sa.Column("wan_ip", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("maintenance_mode", sa.Boolean(), nullable=True),
        sa.Column("needs_reboot", sa.Boolean(), nullable=True),
        sa.Column("last_rmm_sync_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name_locked", sa.Boolean(), nullable=False),
        sa.Column("description_locked", sa.Boolean(), nullable=False),
        sa.Column("asset_type_locked", sa.Boolean(), nullable=False),
        sa.Column("client_locked", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_assets_client_id_clients")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_assets_integration_id_rmm_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_assets_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
        sa.UniqueConstraint(
            "integration_id", "rmm_device_id", name=op.f("uq_assets_integration_id_rmm_device_id")
        ),
    )
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assets_client_id"), ["client_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_assets_integration_id_assets_rmm_organization_id"),
            ["integration_id", "rmm_organization_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_assets_tenant_id_assets_client_id"),
            ["tenant_id", "client_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_assets_tenant_id_assets_name"), ["tenant_id", "name"], unique=False
        )

    op.create_table(
        "connection_tests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("field", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_connection_tests_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_connection_tests_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_tests")),
    )
    with op.batch_alter_table("connection_tests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_connection_tests_integration_id_connection_tests_id"),
            ["integration_id", "id"],
            unique=False,
        )

    op.create_table(
        "rmm_organization_mappings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("external_organization_id", sa.String(), nullable=False),
        sa.Column("external_organization_name", sa.String(), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("auto_sync_assets", sa.Boolean(), nullable=False),
        sa.Column(
            "agent_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("gone_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_rmm_organization_mappings_client_id_clients"),
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_rmm_organization_mappings_integration_id_rmm_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_rmm_organization_mappings_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rmm_organization_mappings")),
        sa.UniqueConstraint(
            "integration_id",
            "external_organization_id",
            name=op.f("uq_rmm_organization_mappings_integration_id_external_organization_id"),
        ),
    )
    with op.batch_alter_table("rmm_organization_mappings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rmm_organization_mappings_client_id"), ["client_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f(
                "ix_rmm_organization_mappings_tenant_id_rmm_organization_mappings_integration_id"
            ),
            ["tenant_id", "integration_id"],
            unique=False,
        )

    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "every_seconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_schedules_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_schedules_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint(
            "integration_id", "kind", name=op.f("uq_schedules_integration_id_kind")
        ),
    )
    with op.batch_alter_table("schedules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedules_next_due_at"), ["next_due_at"], unique=False)

    op.create_table(
        "sync_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column(
            "requested_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "unchanged", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("moved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skipped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column(
            "fencing_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_sync_runs_integration_id_rmm_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["users.id"],
            name=op.f("fk_sync_runs_requested_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_sync_runs_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
    )
    with op.batch_alter_table("sync_runs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sync_runs_integration_id_sync_runs_kind_sync_runs_created_at"),
            ["integration_id", "kind", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_sync_runs_tenant_id_sync_runs_created_at"),
            ["tenant_id", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            "uq_sync_runs_active",
            ["integration_id", "kind", "subject"],
            unique=True,
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )

    op.create_table(
        "webhook_installations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("made", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("deed", sa.String(length=20), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column(
            "test_delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_webhook_installations_integration_id_rmm_integrations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_webhook_installations_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_installations")),
        sa.UniqueConstraint("integration_id", name=op.f("uq_webhook_installations_integration_id")),
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
        "sync_log_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["sync_runs.id"],
            name=op.f("fk_sync_log_entries_run_id_sync_runs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_sync_log_entries_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_log_entries")),
    )
    with op.batch_alter_table("sync_log_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sync_log_entries_run_id_sync_log_entries_action"),
            ["run_id", "action"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_sync_log_entries_run_id_sync_log_entries_id"),
            ["run_id", "id"],
            unique=False,
        )

    op.create_table(
        "tenant_external_entity_mappings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "integration_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_entity_id", sa.String(), nullable=False),
        sa.Column("external_realm_id", sa.String(), nullable=False),
        sa.Column(
            "external_pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
            name=op.f("fk_tenant_external_entity_mappings_asset_id_assets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["rmm_integrations.id"],
            name=op.f("fk_tenant_external_entity_mappings_integration_id_rmm_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_tenant_external_entity_mappings_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant_external_entity_mappings")),
        sa.UniqueConstraint(
            "integration_id",
            "external_entity_id",
            name=op.f("uq_tenant_external_entity_mappings_integration_id_external_entity_id"),
        ),
    )
    with op.batch_alter_table("tenant_external_entity_mappings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tenant_external_entity_mappings_asset_id"), ["asset_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f(
                "ix_tenant_external_entity_mappings_integration_id_tenant_external_entity_mappings_external_pk"
            ),
            ["integration_id", "external_pk"],
            unique=False,
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
            batch_op.f("ix_webhook_deliveries_alert_id"),
            ["alert_id"],
            unique=False,
            sqlite_where=sa.text("alert_id IS NOT NULL"),
            postgresql_where=sa.text("alert_id IS NOT NULL"),
        )
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
        batch_op.drop_index(
            batch_op.f("ix_webhook_deliveries_alert_id"),
            sqlite_where=sa.text("alert_id IS NOT NULL"),
            postgresql_where=sa.text("alert_id IS NOT NULL"),
        )

    op.drop_table("webhook_deliveries")
    with op.batch_alter_table("tenant_external_entity_mappings", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f(
                "ix_tenant_external_entity_mappings_integration_id_tenant_external_entity_mappings_external_pk"
            )
        )
        batch_op.drop_index(batch_op.f("ix_tenant_external_entity_mappings_asset_id"))

    op.drop_table("tenant_external_entity_mappings")
    with op.batch_alter_table("sync_log_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sync_log_entries_run_id_sync_log_entries_id"))
        batch_op.drop_index(batch_op.f("ix_sync_log_entries_run_id_sync_log_entries_action"))

    op.drop_table("sync_log_entries")
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
    op.drop_table("webhook_installations")
    with op.batch_alter_table("sync_runs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_sync_runs_active",
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )
        batch_op.drop_index(batch_op.f("ix_sync_runs_tenant_id_sync_runs_created_at"))
        batch_op.drop_index(
            batch_op.f("ix_sync_runs_integration_id_sync_runs_kind_sync_runs_created_at")
        )

    op.drop_table("sync_runs")
    with op.batch_alter_table("schedules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_schedules_next_due_at"))

    op.drop_table("schedules")
    with op.batch_alter_table("rmm_organization_mappings", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f(
                "ix_rmm_organization_mappings_tenant_id_rmm_organization_mappings_integration_id"
            )
        )
        batch_op.drop_index(batch_op.f("ix_rmm_organization_mappings_client_id"))

    op.drop_table("rmm_organization_mappings")
    with op.batch_alter_table("connection_tests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_connection_tests_integration_id_connection_tests_id"))

    op.drop_table("connection_tests")
    with op.batch_alter_table("assets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assets_tenant_id_assets_name"))
        batch_op.drop_index(batch_op.f("ix_assets_tenant_id_assets_client_id"))
        batch_op.drop_index(batch_op.f("ix_assets_integration_id_assets_rmm_organization_id"))
        batch_op.drop_index(batch_op.f("ix_assets_client_id"))

    op.drop_table("assets")
    with op.batch_alter_table("agent_refreshes", schema=None) as batch_op:
        batch_op.drop_index("uq_agent_refreshes_agent_id")
        batch_op.drop_index(batch_op.f("ix_agent_refreshes_due_at"))

    op.drop_table("agent_refreshes")
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_user_sessions_last_used_at"))

    op.drop_table("user_sessions")
    op.drop_table("secrets")
    with op.batch_alter_table("rmm_integrations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_rmm_integrations_tenant_id_provider",
            sqlite_where=sa.text("set_aside_at IS NULL"),
            postgresql_where=sa.text("set_aside_at IS NULL"),
        )

    op.drop_table("rmm_integrations")
    with op.batch_alter_table("memberships", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memberships_tenant_id"))

    op.drop_table("memberships")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_tenant_id_events_type_events_id"))
        batch_op.drop_index(batch_op.f("ix_events_tenant_id_events_id"))

    op.drop_table("events")
    op.drop_table("event_subscribers")
    op.drop_table("clients")
    op.drop_table("users")
    op.drop_table("tenants")
    op.drop_table("install_settings")
