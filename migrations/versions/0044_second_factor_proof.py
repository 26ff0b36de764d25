"""How a provider says that it asked for a second factor, links that remove second factors, and
from when on a new tenant requires one. What there is stays as it is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_ADDED: dict[str, tuple[str, sa.types.TypeEngine[Any], sa.ColumnElement[Any] | sa.TextClause]] = {
    "oidc_providers": ("second_factor_words", sa.String(), sa.text("''")),
    "password_resets": ("removes_factors", sa.Boolean(), sa.false()),
}


def upgrade() -> None:
    for table, (name, kind, default) in _ADDED.items():
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    required_from = sa.Column("factors_from", sa.DateTime(timezone=True), nullable=True)
    op.add_column("tenants", required_from)


def downgrade() -> None:
    for table, (name, _kind, _default) in _ADDED.items():
        with op.batch_alter_table(table) as batch:
            batch.drop_column(name)
    with op.batch_alter_table("tenants") as batch:
        batch.drop_column("factors_from")
