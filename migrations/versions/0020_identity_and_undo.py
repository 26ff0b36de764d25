"""Who is which computer, what waits for a person, and what was removed but may come back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
IS_OPEN = sa.text("settled_at IS NULL")

COUNTS = ("relinked", "waiting", "conflicts", "retired")
COLUMNS: dict[str, dict[str, dict[str, Any]]] = {
    "assets": {
        "absent_runs": {"type_": NUMBER, "server_default": "0", "nullable": False},
        "retired_at": {"type_": TIME},
    },
    "rmm_integrations": {
        "retire_after_runs": {"type_": NUMBER, "server_default": "3", "nullable": False},
        "retire_after_days": {"type_": NUMBER, "server_default": "30", "nullable": False},
        "retire_automatically": {
            "type_": sa.Boolean(),
            "server_default": sa.false(),
            "nullable": False,
        },
        "preview_due": {"type_": sa.String(length=20)},
    },
    "sync_runs": {
        "title": {"type_": sa.String()},
        "reverts_run_id": {"type_": NUMBER},
        "reverted_by_run_id": {"type_": NUMBER},
        **{name: {"type_": NUMBER, "server_default": "0", "nullable": False} for name in COUNTS},
    },
}
INDEXES = {
    "asset_conflicts": (["integration_id", "agent_id"], ["asset_id"], ["other_asset_id"]),
    "removed_assets": (["tenant_id", "asset_id"], ["run_id"], ["into_asset_id"]),
    "superseded_agents": (["asset_id"],),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, **kind))
    _create_table(
        "agent_sightings",
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("first_listed_at", TIME, nullable=False),
        sa.Column("last_listed_at", TIME, nullable=False),
        _unique_agent("agent_sightings"),
    )
    _create_table(
        "superseded_agents",
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("asset_id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=True),
        sa.Column("superseded_at", TIME, nullable=False),
        sa.Column("revived_at", TIME, nullable=True),
        _refer("superseded_agents", "asset_id", "assets", "CASCADE"),
        _unique_agent("superseded_agents"),
    )
    _create_table(
        "asset_conflicts",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("asset_id", NUMBER, nullable=True),
        sa.Column("other_asset_id", NUMBER, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("run_id", NUMBER, nullable=True),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("settled_as", sa.String(length=20), nullable=True),
        sa.Column("settled_by", NUMBER, nullable=True),
        _refer("asset_conflicts", "asset_id", "assets", "CASCADE"),
        _refer("asset_conflicts", "other_asset_id", "assets", "CASCADE"),
        _refer("asset_conflicts", "settled_by", "users", "SET NULL"),
    )
    op.create_index(
        op.f("ix_asset_conflicts_tenant_id_asset_conflicts_id"),
        "asset_conflicts",
        ["tenant_id", "id"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    _create_table(
        "removed_assets",
        sa.Column("asset_id", NUMBER, nullable=False),
        sa.Column("into_asset_id", NUMBER, nullable=True),
        sa.Column("run_id", NUMBER, nullable=True),
        sa.Column("removed_at", TIME, nullable=False),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        _refer("removed_assets", "into_asset_id", "assets", "CASCADE"),
    )
    for table, indexes in INDEXES.items():
        for names in indexes:
            op.create_index(op.f(_name_index(table, names)), table, names)


def downgrade() -> None:
    for table in ("removed_assets", "asset_conflicts", "superseded_agents", "agent_sightings"):
        op.drop_table(table)
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for name in columns:
                batch.drop_column(name)


def _create_table(table: str, *more: sa.Column[Any] | sa.Constraint) -> None:
    """One that belongs to a tenant and an integration."""
    op.create_table(
        table,
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tenant_id", NUMBER, nullable=False),
        sa.Column("integration_id", NUMBER, nullable=False),
        *more,
        _refer(table, "tenant_id", "tenants", "CASCADE"),
        _refer(table, "integration_id", "rmm_integrations"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _refer(
    table: str, column: str, other: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def _unique_agent(table: str) -> sa.UniqueConstraint:
    name = op.f(f"uq_{table}_integration_id_agent_id")
    return sa.UniqueConstraint("integration_id", "agent_id", name=name)


def _name_index(table: str, columns: list[str]) -> str:
    if len(columns) == 1:
        return f"ix_{table}_{columns[0]}"
    return f"ix_{table}_" + "_".join([columns[0], *(f"{table}_{name}" for name in columns[1:])])
