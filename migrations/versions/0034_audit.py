"""The audit trail: a chain of rows for each tenant, and one for what belongs to no tenant."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = (
    *("address", "source", "request_id", "action", "target_kind", "target_id", "target_name"),
    *("key_id", "previous", "mac", "actor_name"),
)


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        *_columns(),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"],
            ["tenants.id"],
            name=op.f("fk_audit_entries_tenant_id_tenants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_audit_entries_tenant_id_number")),
    )
    op.create_index("ix_audit_entries_action", "audit_entries", ["tenant_id", "action", "number"])
    op.create_table(
        "install_audit_entries",
        *_columns(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_install_audit_entries")),
        sa.UniqueConstraint("number", name=op.f("uq_install_audit_entries_number")),
    )


def downgrade() -> None:
    op.drop_table("install_audit_entries")
    op.drop_table("audit_entries")


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", NUMBER, nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in WORDS),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
    ]
