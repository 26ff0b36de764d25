from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned

_LASTS = text("ended_at IS NULL")


class NoticeKind(StrEnum):
    CONNECTION_LOST = "connection_lost"
    CREDENTIALS_REFUSED = "credentials_refused"
    CODE_NEEDED = "code_needed"
    SYNC_HELD = "sync_held"
    WEBHOOK_SILENT = "webhook_silent"
    SUBSCRIBER_FAILING = "subscriber_failing"
    CHANNEL_FAILING = "channel_failing"
    HELPDESK_FAILING = "helpdesk_failing"
    CERTIFICATE_EXPIRES = "certificate_expires"
    WATCH_MATCHES = "watch_matches"
    """Of software."""


class Notice(TenantOwned, Base):
    """Something that a person should see to, mostly about the portal itself: from when to when."""

    __tablename__ = "notices"
    __table_args__ = (
        # One at a time of each kind and subject.
        Index(
            "uq_notices_lasting",
            "tenant_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_LASTS,
            postgresql_where=_LASTS,
        ),
        Index(None, "tenant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[NoticeKind]
    subject: Mapped[str]
    """Which one of its kind: the id of a channel, a watch and so on; empty where there is one."""
    text: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(default=utc_now)
    calm_since: Mapped[datetime | None]
    """Since when there is no sign of it any more, while it may come back at any moment."""
    ended_at: Mapped[datetime | None]


class NoticeChoice(TenantOwned, Base):
    """That a person wants notices of a kind by a channel."""

    __tablename__ = "notice_choices"
    __table_args__ = (
        UniqueConstraint("membership_id", "kind", "channel_id"),
        Index(None, "channel_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id", ondelete="CASCADE"))
    kind: Mapped[NoticeKind]
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
