"""An index of the messages of a channel, which go with it."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_NAME = "ix_messages_channel_id"


def upgrade() -> None:
    op.create_index(op.f(_NAME), "messages", ["channel_id"])


def downgrade() -> None:
    op.drop_index(op.f(_NAME), "messages")
