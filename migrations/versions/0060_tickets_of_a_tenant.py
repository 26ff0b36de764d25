"""An index of a tenant's tickets in their order."""

from __future__ import annotations

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_NAME = "ix_tickets_tenant_id_tickets_id"


def upgrade() -> None:
    op.create_index(op.f(_NAME), "tickets", ["tenant_id", "id"])


def downgrade() -> None:
    op.drop_index(op.f(_NAME), "tickets")
