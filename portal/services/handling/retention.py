"""Deleting what was told of alerts and notices, and what is known of tickets, that have been over
for long. The handlings stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.models import (
    Alert,
    AlertHandling,
    Message,
    Notice,
    Ticket,
    TicketAlert,
    TimelineEntry,
)
from portal.models.alerts.alert import AlertStatus
from portal.models.channels.message import MessageStatus
from portal.models.tickets.ticket import LIVE
from portal.services.accounts.link_mails import LINKS
from portal.services.lists.pruning import delete_in_parts
from portal.services.notices.listing import prune_notices

KEPT_FOR = timedelta(days=90)
AT_ONCE = 1000


def prune_told() -> int:
    """Messages of the scope's tenant, timelines, notices and tickets, of what has been over for 90
    days; how many rows. What still waits is kept, and what tells the beginning of something that
    lasts."""
    before = utc_now() - KEPT_FOR
    return (
        delete_in_parts(Message, lambda: _list_messages(before))
        + delete_in_parts(TimelineEntry, lambda: _list_entries(before))
        + delete_in_parts(Ticket, lambda: _list_tickets(before))
        + prune_notices()
    )


def _list_messages(before: datetime) -> Sequence[int]:
    is_over = or_(
        AlertHandling.over_at < before, Notice.ended_at < before, Message.reason.in_(LINKS)
    )
    return db.session.scalars(
        select(Message.id)
        .outerjoin(AlertHandling, AlertHandling.id == Message.handling_id)
        .outerjoin(Notice, Notice.id == Message.notice_id)
        .where(Message.status != MessageStatus.WAITING, Message.created_at < before, is_over)
        .limit(AT_ONCE)
    ).all()


def _list_entries(before: datetime) -> Sequence[int]:
    return db.session.scalars(
        select(TimelineEntry.id)
        .join(Alert, Alert.id == TimelineEntry.alert_id)
        .where(
            TimelineEntry.at < before,
            Alert.status == AlertStatus.RESOLVED,
            Alert.resolved_at < before,
        )
        .limit(AT_ONCE)
    ).all()


def _list_tickets(before: datetime) -> Sequence[int]:
    """Of which nothing lives any more, neither in the helpdesk nor of its alerts."""
    still_active = exists().where(
        TicketAlert.ticket_id == Ticket.id,
        AlertHandling.id == TicketAlert.handling_id,
        AlertHandling.over_at.is_(None),
    )
    query = select(Ticket.id).where(
        Ticket.status.not_in(LIVE),
        func.coalesce(Ticket.closed_at, Ticket.created_at) < before,
        ~still_active,
    )
    return db.session.scalars(query.limit(AT_ONCE)).all()
