"""The status is swept as often as a fleet's size allows, unless a number says otherwise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD_DEFAULT = 5


def upgrade() -> None:
    with op.batch_alter_table("rmm_integrations", schema=None) as batch_op:
        batch_op.alter_column(
            "status_sweep_minutes",
            existing_type=sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            existing_server_default=str(OLD_DEFAULT),
            existing_nullable=False,
            server_default=None,
            nullable=True,
        )
    # What nobody changed. The scheduler's next tick gives each connection its interval.
    op.execute(
        sa.text(
            "UPDATE rmm_integrations SET status_sweep_minutes = NULL "
            "WHERE status_sweep_minutes = :minutes"
        ).bindparams(minutes=OLD_DEFAULT)
    )


def downgrade() -> None:
    op.execute(
        sa.text(
            "UPDATE rmm_integrations SET status_sweep_minutes = :minutes "
            "WHERE status_sweep_minutes IS NULL"
        ).bindparams(minutes=OLD_DEFAULT)
    )
    with op.batch_alter_table("rmm_integrations", schema=None) as batch_op:
        batch_op.alter_column(
            "status_sweep_minutes",
            existing_type=sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            existing_nullable=True,
            server_default=str(OLD_DEFAULT),
            nullable=False,
        )
