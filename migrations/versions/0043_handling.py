"""What the portal has to remember while it decides about alerts and tells of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_NAMELESS = sa.text("external_alert_id IS NULL")
_COLUMNS = (
    ("alert_handlings", "reopened", _BIG, "0"),
    ("alert_handlings", "held_until", _TIME, None),
    ("channels", "minute_at", _TIME, None),
    ("channels", "minute_sent", _BIG, "0"),
)


def upgrade() -> None:
    for table, name, kind, default in _COLUMNS:
        column = sa.Column(name, kind, nullable=default is None, server_default=default)
        op.add_column(table, column)
    op.create_index(
        "ix_rmm_alerts_nameless",
        "rmm_alerts",
        ["integration_id", "condition"],
        sqlite_where=_NAMELESS,
        postgresql_where=_NAMELESS,
    )


def downgrade() -> None:
    op.drop_index("ix_rmm_alerts_nameless", "rmm_alerts")
    for table, name, _kind, _default in reversed(_COLUMNS):
        op.drop_column(table, name)
