"""The indexes of alerts in time hold their ids, and those by status the occurrences too."""

from __future__ import annotations

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_TABLE = "rmm_alerts"
_IN_TIME, _OF_STATUS = "ix_rmm_alerts_in_time", "ix_rmm_alerts_of_status"
_OLD = {
    "ix_rmm_alerts_tenant_id_rmm_alerts_triggered_at": ["tenant_id", "triggered_at"],
    "ix_rmm_alerts_tenant_id_rmm_alerts_status_rmm_alerts_triggered_at": [
        "tenant_id",
        "status",
        "triggered_at",
    ],
}


def upgrade() -> None:
    of_status = ["tenant_id", "status", "triggered_at", "id", "occurrences"]
    op.create_index(_IN_TIME, _TABLE, ["tenant_id", "triggered_at", "id"])
    op.create_index(_OF_STATUS, _TABLE, of_status)
    for name in _OLD:
        op.drop_index(op.f(name), _TABLE)


def downgrade() -> None:
    for name, columns in _OLD.items():
        op.create_index(op.f(name), _TABLE, columns)
    for name in (_IN_TIME, _OF_STATUS):
        op.drop_index(name, _TABLE)
