from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class Channel(TenantOwned, Base):
    """A far side that is told: a mailbox, a room of a chat, a phone.

    One process at a time sends to it. Its secrets, addresses with tokens in them among these, lie
    in `secrets`.
    """

    __tablename__ = "channels"
    __table_args__ = (Index(None, "tenant_id"), Index(None, "due_at"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    """The name of its folder in `portal.channels`."""
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What its form holds that is no secret."""
    templates: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """A person's own wording, by part of the message; without it the default is used."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: switched off by a person. Nothing is sent, and what waited is dropped with a word."""
    most_per_minute: Mapped[int] = mapped_column(default=10)
    """What is more is told together, in one message."""
    minute_at: Mapped[datetime | None]
    """When the minute began in which sendings are counted."""
    minute_sent: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many were begun in it."""
    due_at: Mapped[datetime | None]
    """Not before this: after a failure, or while the lease of the process at work lasts."""
    lease: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    """In a row."""
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    """When something last arrived."""
    tested_at: Mapped[datetime | None]
    """When a test message last arrived, with the settings as they are."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
