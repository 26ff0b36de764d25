"""The index of the names of assets holds their ids: assets are found by a part of it alone."""

from __future__ import annotations

from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

_TABLE, _NEW = "assets", "ix_assets_by_name"
_OLD = "ix_assets_tenant_id_assets_name"


def upgrade() -> None:
    op.create_index(_NEW, _TABLE, ["tenant_id", "name", "id"])
    op.drop_index(op.f(_OLD), _TABLE)


def downgrade() -> None:
    op.create_index(op.f(_OLD), _TABLE, ["tenant_id", "name"])
    op.drop_index(_NEW, _TABLE)
