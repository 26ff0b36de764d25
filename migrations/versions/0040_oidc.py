"""Identity providers of tenants, whom they mean by a subject, and sign-ins on their way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)
_SESSIONS = (("provider_of", "CASCADE"), ("entered", "SET NULL"))


def upgrade() -> None:
    op.add_column("tenants", sa.Column("sso_since", _TIME, nullable=True))
    with op.batch_alter_table("user_sessions") as batch:
        for name, gone in _SESSIONS:
            batch.add_column(sa.Column(name, _BIG, nullable=True))
            batch.create_foreign_key(
                op.f(f"fk_user_sessions_{name}_tenants"), "tenants", [name], ["id"], ondelete=gone
            )
            batch.create_index(op.f(f"ix_user_sessions_{name}"), [name])
    _create_providers()
    _create_identities()
    _create_flows()


def downgrade() -> None:
    for table in ("oidc_flows", "oidc_identities", "oidc_providers"):
        op.drop_table(table)
    with op.batch_alter_table("user_sessions") as batch:
        for name, _gone in _SESSIONS:
            batch.drop_index(op.f(f"ix_user_sessions_{name}"))
            batch.drop_constraint(op.f(f"fk_user_sessions_{name}_tenants"), type_="foreignkey")
            batch.drop_column(name)
    with op.batch_alter_table("tenants") as batch:
        batch.drop_column("sso_since")


def _create_providers() -> None:
    op.create_table(
        "oidc_providers",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("issuer", "client_id")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("scopes", "groups_claim")),
        sa.Column("group_roles", sa.JSON(), nullable=False),
        sa.Column("default_role", sa.String(), nullable=True),
        sa.Column("endpoints", _JSON, nullable=True),
        sa.Column("endpoints_at", _TIME, nullable=True),
        sa.Column("keys", _JSON, nullable=True),
        sa.Column("keys_at", _TIME, nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("tested_at", _TIME, nullable=True),
        sa.Column("entered_at", _TIME, nullable=True),
        sa.Column("entered_by", sa.String(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("tenant_id", _BIG, nullable=False),
        _belongs_to("oidc_providers", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_providers")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_oidc_providers_tenant_id")),
    )


def _create_identities() -> None:
    op.create_table(
        "oidc_identities",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("membership_id", _BIG, nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_used_at", _TIME, nullable=True),
        sa.Column("tenant_id", _BIG, nullable=False),
        _belongs_to("oidc_identities", "tenant_id", "tenants"),
        _belongs_to("oidc_identities", "membership_id", "memberships"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_identities")),
        sa.UniqueConstraint("membership_id", name=op.f("uq_oidc_identities_membership_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "issuer",
            "subject",
            name=op.f("uq_oidc_identities_tenant_id_issuer_subject"),
        ),
    )


def _create_flows() -> None:
    op.create_table(
        "oidc_flows",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("state_digest", sa.String(), nullable=False),
        sa.Column("browser_digest", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("issuer", "client_id")),
        sa.Column("user_id", _BIG, nullable=True),
        sa.Column("invitation_id", _BIG, nullable=True),
        sa.Column("next", sa.String(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("tenant_id", _BIG, nullable=False),
        _belongs_to("oidc_flows", "tenant_id", "tenants"),
        _belongs_to("oidc_flows", "user_id", "users"),
        _belongs_to("oidc_flows", "invitation_id", "invitations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_flows")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_oidc_flows_state_digest")),
    )
    for column in ("tenant_id", "expires_at", "user_id", "invitation_id"):
        op.create_index(op.f(f"ix_oidc_flows_{column}"), "oidc_flows", [column])


def _belongs_to(table: str, column: str, owner: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{owner}")
    return sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=name, ondelete="CASCADE")
