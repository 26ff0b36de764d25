"""Rules, maintenance windows, channels, messages, notices, and what is done about each alert."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_TABLES = (
    "alert_rules",
    "maintenance_windows",
    "calendar_feeds",
    "channels",
    "notices",
    "notice_choices",
    "asset_tags",
    "alert_handlings",
    "alert_timeline",
    "messages",
)


def upgrade() -> None:
    _create_rules()
    _create_windows()
    _create_channels()
    _create_notices()
    _create_tags()
    _create_handlings()
    _create_timeline()
    _create_messages()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_rules() -> None:
    _create_table(
        "alert_rules",
        _column("position", _BIG),
        _column("name", sa.String()),
        _column("go_on", sa.Boolean()),
        _column("conditions", sa.JSON()),
        _column("steps", sa.JSON()),
        _column("switched_on_at", _TIME, nullable=True),
        _column("created_at", _TIME),
        _column("changed_at", _TIME),
    )
    _create_index("alert_rules", "tenant_id", "position")


def _create_windows() -> None:
    _create_table(
        "maintenance_windows",
        _column("name", sa.String()),
        _column("zone", sa.String()),
        _column("starts", sa.String()),
        _column("minutes", _BIG),
        _column("repeats", sa.JSON()),
        _column("scope", sa.JSON()),
        _column("over_at", _TIME, nullable=True),
        _column("ended_at", _TIME, nullable=True),
        _column("created_by", sa.String()),
        _column("created_at", _TIME),
        _column("changed_at", _TIME),
    )
    _create_index("maintenance_windows", "tenant_id", "over_at")
    _create_table(
        "calendar_feeds",
        _column("name", sa.String()),
        _column("token_digest", sa.String()),
        _column("user_id", _BIG, nullable=True),
        _column("created_at", _TIME),
        _column("last_used_at", _TIME, nullable=True),
        _belongs_to("calendar_feeds", "user_id", "users"),
        sa.UniqueConstraint("token_digest", name=op.f("uq_calendar_feeds_token_digest")),
    )
    _create_index("calendar_feeds", "tenant_id")


def _create_channels() -> None:
    _create_table(
        "channels",
        _column("kind", sa.String()),
        _column("name", sa.String()),
        _column("settings", sa.JSON()),
        _column("templates", sa.JSON()),
        _column("active", sa.Boolean()),
        _column("most_per_minute", _BIG),
        _column("due_at", _TIME, nullable=True),
        _column("lease", sa.String(), nullable=True),
        _column("failures", _BIG),
        _column("failing_since", _TIME, nullable=True),
        _column("last_error", sa.String(), nullable=True),
        _column("sent_at", _TIME, nullable=True),
        _column("created_at", _TIME),
    )
    _create_index("channels", "tenant_id")
    _create_index("channels", "due_at")


def _create_notices() -> None:
    _create_table(
        "notices",
        _column("kind", sa.String(20)),
        _column("subject", sa.String()),
        _column("text", sa.String()),
        _column("began_at", _TIME),
        _column("ended_at", _TIME, nullable=True),
    )
    _create_index("notices", "tenant_id", "id")
    _create_partial_index(
        "notices", "uq_notices_lasting", ("tenant_id", "kind", "subject"), "ended_at IS NULL", True
    )
    _create_table(
        "notice_choices",
        _column("membership_id", _BIG),
        _column("kind", sa.String(20)),
        _column("channel_id", _BIG),
        _belongs_to("notice_choices", "channel_id", "channels"),
        _belongs_to("notice_choices", "membership_id", "memberships"),
        sa.UniqueConstraint(
            "membership_id",
            "kind",
            "channel_id",
            name=op.f("uq_notice_choices_membership_id_kind_channel_id"),
        ),
    )
    _create_index("notice_choices", "channel_id")


def _create_tags() -> None:
    _create_table(
        "asset_tags",
        _column("asset_id", _BIG),
        _column("tag", sa.String()),
        _belongs_to("asset_tags", "asset_id", "assets"),
        sa.UniqueConstraint("asset_id", "tag", name=op.f("uq_asset_tags_asset_id_tag")),
    )
    _create_index("asset_tags", "tenant_id", "tag")


def _create_handlings() -> None:
    _create_table(
        "alert_handlings",
        _column("alert_id", _BIG),
        _column("occurrence", _BIG),
        _column("state", sa.String(20)),
        _column("reason", sa.String(), nullable=True),
        _column("began_at", _TIME),
        _column("noticed_at", _TIME),
        _column("over_at", _TIME, nullable=True),
        _column("rule_id", _BIG, nullable=True),
        _column("rule_name", sa.String(), nullable=True),
        _column("explanation", sa.JSON()),
        _column("window_id", _BIG, nullable=True),
        _column("window_name", sa.String(), nullable=True),
        _column("urgency", sa.String(), nullable=True),
        _column("plan", sa.JSON()),
        _column("acknowledged_at", _TIME, nullable=True),
        _column("acknowledged_by", sa.String(), nullable=True),
        _column("acknowledgement", sa.String(), nullable=True),
        _column("assigned_to", _BIG, nullable=True),
        _column("due_at", _TIME, nullable=True),
        _column("attempts", _BIG),
        _belongs_to("alert_handlings", "alert_id", "rmm_alerts"),
        _belongs_to("alert_handlings", "assigned_to", "memberships", gone="SET NULL"),
        _belongs_to("alert_handlings", "rule_id", "alert_rules", gone="SET NULL"),
        _belongs_to("alert_handlings", "window_id", "maintenance_windows", gone="SET NULL"),
        sa.UniqueConstraint(
            "alert_id", "occurrence", name=op.f("uq_alert_handlings_alert_id_occurrence")
        ),
    )
    _create_index("alert_handlings", "window_id")
    _create_index("alert_handlings", "rule_id")
    _create_index("alert_handlings", "tenant_id", "began_at")
    _create_partial_index(
        "alert_handlings", "ix_alert_handlings_due", ("tenant_id", "due_at"), "due_at IS NOT NULL"
    )


def _create_timeline() -> None:
    _create_table(
        "alert_timeline",
        _column("alert_id", _BIG),
        _column("at", _TIME),
        _column("kind", sa.String(20)),
        _column("text", sa.String()),
        _column("details", sa.JSON()),
        _belongs_to("alert_timeline", "alert_id", "rmm_alerts"),
    )
    _create_index("alert_timeline", "alert_id", "id")


def _create_messages() -> None:
    _create_table(
        "messages",
        _column("channel_id", _BIG),
        _column("handling_id", _BIG, nullable=True),
        _column("notice_id", _BIG, nullable=True),
        _column("key", sa.String()),
        _column("reason", sa.String(20)),
        _column("recipient", sa.String(), nullable=True),
        _column("facts", sa.JSON()),
        _column("status", sa.String(20)),
        _column("attempts", _BIG),
        _column("begun_at", _TIME, nullable=True),
        _column("may_be_double", sa.Boolean()),
        _column("told_in", _BIG, nullable=True),
        _column("answer", sa.String(), nullable=True),
        _column("thread", sa.JSON()),
        _column("created_at", _TIME),
        _column("settled_at", _TIME, nullable=True),
        _belongs_to("messages", "channel_id", "channels"),
        _belongs_to("messages", "handling_id", "alert_handlings"),
        _belongs_to("messages", "notice_id", "notices"),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_messages_tenant_id_key")),
    )
    _create_index("messages", "handling_id")
    _create_index("messages", "notice_id")
    _create_index("messages", "tenant_id", "id")
    _create_partial_index(
        "messages", "ix_messages_waiting", ("channel_id", "id"), "status = 'waiting'"
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
    named = columns[0] if len(columns) == 1 else f"{columns[0]}_{table}_{columns[1]}"
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
