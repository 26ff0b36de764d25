"""Which agent an event is about, for whoever is limited to some clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None

_INDEX, _HAS_AGENT = "ix_events_of_agents", sa.text("agent_id IS NOT NULL")


def upgrade() -> None:
    payload = sa.column("payload", sa.JSON)
    agent_id = sa.func.coalesce(
        payload["rmm_device_id"].as_string(), payload["agent_id"].as_string()
    )
    made = sa.Computed(agent_id, persisted=True)
    with op.batch_alter_table("events", recreate="auto") as batch:
        batch.add_column(sa.Column("agent_id", sa.String(), made))
    op.create_index(
        _INDEX,
        "events",
        ["tenant_id", "agent_id", "id"],
        sqlite_where=_HAS_AGENT,
        postgresql_where=_HAS_AGENT,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "events")
    with op.batch_alter_table("events") as batch:
        batch.drop_column("agent_id")
