"""Tickets know their alerts without a look at handlings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_TABLE = "ticket_alerts"
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = "fk_ticket_alerts_alert_id_rmm_alerts"
_OLD, _NEW = "ix_ticket_alerts_tenant_id_ticket_alerts_handling_id", "ix_ticket_alerts_of_alerts"
_FILL = """
UPDATE ticket_alerts SET (alert_id, occurrence) = (
    SELECT alert_id, occurrence FROM alert_handlings h WHERE h.id = ticket_alerts.handling_id
)
"""


def upgrade() -> None:
    for name in ("alert_id", "occurrence"):
        op.add_column(_TABLE, sa.Column(name, _BIG, nullable=True))
    op.execute(_FILL)
    with op.batch_alter_table(_TABLE) as batch:
        for name in ("alert_id", "occurrence"):
            batch.alter_column(name, nullable=False)
        batch.create_foreign_key(op.f(_KEY), "rmm_alerts", ["alert_id"], ["id"], ondelete="CASCADE")
    op.create_index(_NEW, _TABLE, ["tenant_id", "alert_id", "occurrence"])
    op.create_index(op.f("ix_ticket_alerts_alert_id"), _TABLE, ["alert_id"])
    op.drop_index(op.f(_OLD), _TABLE)


def downgrade() -> None:
    op.create_index(op.f(_OLD), _TABLE, ["tenant_id", "handling_id"])
    for name in (op.f("ix_ticket_alerts_alert_id"), _NEW):
        op.drop_index(name, _TABLE)
    with op.batch_alter_table(_TABLE) as batch:
        batch.drop_constraint(op.f(_KEY), type_="foreignkey")
        for name in ("alert_id", "occurrence"):
            batch.drop_column(name)
