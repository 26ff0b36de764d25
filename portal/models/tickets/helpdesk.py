from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class Helpdesk(TenantOwned, Base):
    """A far side that keeps tickets. One process at a time writes to it.

    Its secrets lie in `secrets`.
    """

    __tablename__ = "helpdesks"
    __table_args__ = (
        Index(None, "tenant_id"),
        Index(None, "due_at"),
        Index(None, "poll_due_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str]
    """The name of its folder in `portal.helpdesks`."""
    name: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What its form holds that is no secret."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: switched off by a person. Nothing is done, and what waited is dropped with a word."""
    probe: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """The steps of the last one, with what came of each."""
    probed_at: Mapped[datetime | None]
    is_proven: Mapped[bool] = mapped_column(default=False)
    """The last probe was good, and of these settings. Else no ticket is opened."""
    lists: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, server_default=text("'{}'"), deferred=True
    )
    """Its queues, customers and priorities, as it last told them: lists of `id` and `name`."""
    listed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    """Not before this: after a failure, or while the lease of the process at work lasts."""
    lease: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    """In a row."""
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_done_at: Mapped[datetime | None]
    """When it last did something."""
    poll_due_at: Mapped[datetime | None]
    """When to ask for the states of its tickets; None: as soon as there are any."""
    polled_at: Mapped[datetime | None]
    """When it last told them."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class HelpdeskCustomer(TenantOwned, Base):
    """Which of the helpdesk's customers a client is."""

    __tablename__ = "helpdesk_customers"
    __table_args__ = (
        UniqueConstraint("helpdesk_id", "client_id"),
        Index(None, "client_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    helpdesk_id: Mapped[int] = mapped_column(ForeignKey("helpdesks.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    customer_id: Mapped[str]
    """As the helpdesk calls it."""
    customer_name: Mapped[str]
    """For people, as it was when it was chosen."""
