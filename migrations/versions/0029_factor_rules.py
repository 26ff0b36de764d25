"""Whose second factor a tenant requires, and who was offered one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rule = sa.Column("factor_rule", sa.String(20), nullable=False, server_default="nobody")
    op.add_column("tenants", rule)
    op.add_column("users", sa.Column("factor_offered_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("users", "factor_offered_at")
    op.drop_column("tenants", "factor_rule")
