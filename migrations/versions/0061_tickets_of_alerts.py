"""An index by which alerts are told apart that have a ticket, without those of other tenants."""

from __future__ import annotations

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

_NAME = "ix_ticket_alerts_tenant_id_ticket_alerts_handling_id"


def upgrade() -> None:
    op.create_index(op.f(_NAME), "ticket_alerts", ["tenant_id", "handling_id"])


def downgrade() -> None:
    op.drop_index(op.f(_NAME), "ticket_alerts")
