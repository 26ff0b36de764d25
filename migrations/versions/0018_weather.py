"""How each server answers: failures in a row, refused credentials, and who signs in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "failing_since": TIME,
    "breaker_until": TIME,
    "stopped_for": sa.String(length=20),
    "stopped_at": TIME,
    "sign_in_lease": sa.String(),
    "sign_in_until": TIME,
}


def upgrade() -> None:
    op.add_column(
        "rmm_integrations",
        sa.Column("failures_in_row", NUMBER, server_default="0", nullable=False),
    )
    for name, kind in COLUMNS.items():
        op.add_column("rmm_integrations", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("rmm_integrations") as batch:
        for name in ("failures_in_row", *COLUMNS):
            batch.drop_column(name)
