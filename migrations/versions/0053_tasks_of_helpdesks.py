"""An index of the tasks of a helpdesk, which go with it."""

from __future__ import annotations

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_NAME = "ix_ticket_tasks_helpdesk_id"


def upgrade() -> None:
    op.create_index(op.f(_NAME), "ticket_tasks", ["helpdesk_id"])


def downgrade() -> None:
    op.drop_index(op.f(_NAME), "ticket_tasks")
