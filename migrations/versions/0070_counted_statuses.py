"""Narrow indexes, from which alerts are counted by status and the systems of assets are listed."""

from __future__ import annotations

from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

_INDEXES = (("rmm_alerts", "status"), ("assets", "os_type"))


def upgrade() -> None:
    for table, column in _INDEXES:
        op.create_index(_name(table, column), table, ["tenant_id", column])


def downgrade() -> None:
    for table, column in _INDEXES:
        op.drop_index(_name(table, column), table)


def _name(table: str, column: str) -> str:
    return op.f(f"ix_{table}_tenant_id_{table}_{column}")
