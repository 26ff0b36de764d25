"""Helpdesks, their customers, tickets, what is to be done to them, and the alerts that hang on
them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_TABLES = ("helpdesks", "helpdesk_customers", "tickets", "ticket_alerts", "ticket_tasks")


def upgrade() -> None:
    _create_helpdesks()
    _create_tickets()
    _create_tasks()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_helpdesks() -> None:
    _create_table(
        "helpdesks",
        _column("kind", sa.String()),
        _column("name", sa.String()),
        _column("settings", sa.JSON()),
        _column("active", sa.Boolean()),
        _column("probe", sa.JSON()),
        _column("probed_at", _TIME, nullable=True),
        _column("is_proven", sa.Boolean()),
        _column("due_at", _TIME, nullable=True),
        _column("lease", sa.String(), nullable=True),
        _column("failures", _BIG),
        _column("failing_since", _TIME, nullable=True),
        _column("last_error", sa.String(), nullable=True),
        _column("last_done_at", _TIME, nullable=True),
        _column("poll_due_at", _TIME, nullable=True),
        _column("polled_at", _TIME, nullable=True),
        _column("created_at", _TIME),
    )
    for column in ("tenant_id", "due_at", "poll_due_at"):
        _create_index("helpdesks", column)
    _create_table(
        "helpdesk_customers",
        _column("helpdesk_id", _BIG),
        _column("client_id", _BIG),
        _column("customer_id", sa.String()),
        _column("customer_name", sa.String()),
        _belongs_to("helpdesk_customers", "helpdesk_id", "helpdesks"),
        _belongs_to("helpdesk_customers", "client_id", "clients"),
        sa.UniqueConstraint(
            "helpdesk_id", "client_id", name=op.f("uq_helpdesk_customers_helpdesk_id_client_id")
        ),
    )
    _create_index("helpdesk_customers", "client_id")


def _create_tickets() -> None:
    _create_table(
        "tickets",
        _column("helpdesk_id", _BIG),
        _column("client_id", _BIG, nullable=True),
        _column("asset_id", _BIG, nullable=True),
        _column("outage", sa.String()),
        _column("key", sa.String()),
        _column("queue", sa.String()),
        _column("customer_id", sa.String()),
        _column("priority", sa.String()),
        _column("urgency", sa.String()),
        _column("subject", sa.String()),
        _column("body", sa.String()),
        _column("page", sa.String()),
        _column("status", sa.String(20)),
        _column("reference", sa.String(), nullable=True),
        _column("url", sa.String(), nullable=True),
        _column("touched_by", sa.String(), nullable=True),
        _column("opened_at", _TIME, nullable=True),
        _column("closed_at", _TIME, nullable=True),
        _column("closed_by", sa.String(20), nullable=True),
        _column("read_at", _TIME, nullable=True),
        _column("last_error", sa.String(), nullable=True),
        _column("created_at", _TIME),
        _belongs_to("tickets", "helpdesk_id", "helpdesks"),
        _belongs_to("tickets", "client_id", "clients", gone="SET NULL"),
        _belongs_to("tickets", "asset_id", "assets", gone="SET NULL"),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_tickets_tenant_id_key")),
    )
    live = "status IN ('waiting', 'open', 'unsure')"
    _create_partial_index("tickets", "uq_tickets_live", ("helpdesk_id", "outage"), live, True)
    _create_partial_index("tickets", "ix_tickets_open", ("helpdesk_id", "id"), "status = 'open'")
    op.create_index(op.f("ix_tickets_reference"), "tickets", ["helpdesk_id", "reference"])
    _create_index("tickets", "helpdesk_id", "outage")
    _create_index("tickets", "tenant_id", "status", "id")
    _create_index("tickets", "asset_id")
    _create_index("tickets", "client_id")
    _create_table(
        "ticket_alerts",
        _column("ticket_id", _BIG),
        _column("handling_id", _BIG),
        _column("linked_by", sa.String(), nullable=True),
        _column("linked_at", _TIME),
        _column("is_over", sa.Boolean()),
        _belongs_to("ticket_alerts", "ticket_id", "tickets"),
        _belongs_to("ticket_alerts", "handling_id", "alert_handlings"),
        sa.UniqueConstraint(
            "ticket_id", "handling_id", name=op.f("uq_ticket_alerts_ticket_id_handling_id")
        ),
    )
    _create_index("ticket_alerts", "handling_id")


def _create_tasks() -> None:
    _create_table(
        "ticket_tasks",
        _column("ticket_id", _BIG),
        _column("helpdesk_id", _BIG),
        _column("handling_id", _BIG, nullable=True),
        _column("verb", sa.String(20)),
        _column("key", sa.String()),
        _column("text", sa.String()),
        _column("status", sa.String(20)),
        _column("attempts", _BIG),
        _column("begun_at", _TIME, nullable=True),
        _column("answer", sa.String(), nullable=True),
        _column("created_at", _TIME),
        _column("settled_at", _TIME, nullable=True),
        _belongs_to("ticket_tasks", "ticket_id", "tickets"),
        _belongs_to("ticket_tasks", "helpdesk_id", "helpdesks"),
        _belongs_to("ticket_tasks", "handling_id", "alert_handlings", gone="SET NULL"),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_ticket_tasks_tenant_id_key")),
    )
    _create_index("ticket_tasks", "ticket_id", "id")
    _create_index("ticket_tasks", "handling_id")
    _create_partial_index(
        "ticket_tasks",
        "ix_ticket_tasks_waiting",
        ("helpdesk_id", "attempts", "id"),
        "status = 'waiting'",
    )


def _create_table(name: str, *parts: sa.schema.SchemaItem) -> None:
    """With an id and a tenant."""
    op.create_table(
        name,
        _column("id", _BIG),
        *parts,
        _column("tenant_id", _BIG),
        _belongs_to(name, "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def _column(name: str, kind: Any, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


def _belongs_to(
    table: str, column: str, owner: str, gone: str = "CASCADE"
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{owner}")
    return sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=name, ondelete=gone)


def _create_index(table: str, *columns: str) -> None:
    named = "_".join((columns[0], *(f"{table}_{column}" for column in columns[1:])))
    op.create_index(op.f(f"ix_{table}_{named}"), table, columns)


def _create_partial_index(
    table: str, name: str, columns: tuple[str, ...], where: str, unique: bool = False
) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
