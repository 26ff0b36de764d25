from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.leased import Leased

_IS_UNFINISHED = text("ok IS NULL")


class ErrandKind(StrEnum):
    ACT_ON_ALERTS = "act_on_alerts"
    TEST_SUBSCRIBER = "test_subscriber"
    PLAN_WEBHOOK = "plan_webhook"
    UPDATE_SECRET = "hand_over_secret"  # noqa: S105  # a word, not a secret
    SIGN_IN = "sign_in"
    TEST_PROVIDER = "test_provider"
    TEST_CHANNEL = "test_channel"
    PROBE_HELPDESK = "probe_helpdesk"
    LIST_CHOICES = "list_choices"
    """Of a helpdesk: queues, customers or priorities."""
    LINK_TICKET = "link_ticket"
    SETTLE_TICKET = "settle_ticket"


class Errand(TenantOwned, Leased, Base):
    """What a person asked for, and a worker does at somebody else's server.

    `wanted` and `result` depend on the kind, and hold no secret.
    """

    __tablename__ = "errands"
    __table_args__ = (
        Index(None, "tenant_id", "id"),
        Index(
            "ix_errands_unfinished",
            "tenant_id",
            "id",
            sqlite_where=_IS_UNFINISHED,
            postgresql_where=_IS_UNFINISHED,
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ErrandKind]
    title: Mapped[str]
    """What was pressed, for people: `Resolve 3 alerts`."""
    wanted: Mapped[dict[str, Any]] = mapped_column(JSON)
    ok: Mapped[bool | None]
    """None while it waits or runs."""
    fault: Mapped[str | None]
    """A word for why it ended before its end: `interrupted`, `stopped`."""
    message: Mapped[str | None]
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    stopped_by: Mapped[str | None]
    """Who asked it to stop, in words; it may have been done before it heard of that."""
