"""What happened to an alert, whom it was told to, and how it went before."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import defer

from portal.db import db
from portal.models import AlertHandling, Channel, Message, TimelineEntry

MOST_ENTRIES = 200
MOST_MESSAGES = 100
MOST_OCCURRENCES = 20


@dataclass(frozen=True, slots=True)
class SentMessage:
    """`channel`: its name, which whoever is limited to some clients does not learn."""

    message: Message
    channel: str


def list_entries(alert_id: int) -> list[TimelineEntry]:
    """The newest ones, in the order in which they happened."""
    query = (
        select(TimelineEntry)
        .where(TimelineEntry.alert_id == alert_id)
        .order_by(TimelineEntry.id.desc())
        .limit(MOST_ENTRIES)
    )
    return list(reversed(db.session.scalars(query).all()))


def list_messages(handling_id: int) -> list[SentMessage]:
    """About one occurrence, in the order in which they were written."""
    rows = db.session.execute(
        select(Message, Channel.name)
        .outerjoin(Channel, Channel.id == Message.channel_id)
        .where(Message.handling_id == handling_id)
        .order_by(Message.id)
        .limit(MOST_MESSAGES)
    )
    return [SentMessage(message, name or "a channel") for message, name in rows]


def list_earlier(alert_id: int, occurrence: int) -> list[AlertHandling]:
    """The occurrences before that one, the newest first."""
    query = (
        select(AlertHandling)
        .where(AlertHandling.alert_id == alert_id, AlertHandling.occurrence < occurrence)
        .options(defer(AlertHandling.explanation), defer(AlertHandling.plan))
        .order_by(AlertHandling.occurrence.desc())
        .limit(MOST_OCCURRENCES)
    )
    return list(db.session.scalars(query))
