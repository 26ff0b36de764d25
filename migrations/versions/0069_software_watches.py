"""Watches of software, and what matches them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "software_watches",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("product_id", _BIG, nullable=False),
        sa.Column("client_id", _BIG, nullable=True),
        sa.Column("older_than", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("tenant_id", _BIG, nullable=False),
        _refers("software_watches", "product_id", "software_products"),
        _refers("software_watches", "client_id", "clients"),
        _refers("software_watches", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_software_watches")),
    )
    for column in ("tenant_id", "product_id", "client_id"):
        op.create_index(op.f(f"ix_software_watches_{column}"), "software_watches", [column])
    op.create_table(
        "software_matches",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("watch_id", _BIG, nullable=False),
        sa.Column("asset_id", _BIG, nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("tenant_id", _BIG, nullable=False),
        _refers("software_matches", "watch_id", "software_watches"),
        _refers("software_matches", "asset_id", "assets"),
        _refers("software_matches", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_software_matches")),
        sa.UniqueConstraint(
            "watch_id", "asset_id", name=op.f("uq_software_matches_watch_id_asset_id")
        ),
    )
    op.create_index(op.f("ix_software_matches_asset_id"), "software_matches", ["asset_id"])


def downgrade() -> None:
    op.drop_table("software_matches")
    op.drop_table("software_watches")


def _refers(table: str, column: str, other: str) -> Any:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
