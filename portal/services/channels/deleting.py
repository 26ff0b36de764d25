"""Channels are deleted, and what still waited for one is not forgotten without a word."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import transaction
from portal.errors import Refused
from portal.models import AlertHandling, Channel, Message
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageStatus
from portal.services.accounts.link_mails import forget_waiting_codes
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.channels.changing import describe, get_target
from portal.services.channels.listing import get_row
from portal.services.notices.choices import forget_channel
from portal.sync.alerts.timeline import Entry, add_entries
from portal.vault import forget_secrets
from portal.wording import join_words


def delete_channel(channel_id: int) -> str:
    """Its name. What was sent by it goes as well, and who had chosen it alone for notices
    gets those of their role. Raises Refused while a rule tells it, and
    NotFound."""
    with transaction() as session:
        row = get_row(channel_id)
        channel, name = row.channel, row.channel.name
        if row.rules:
            raise Refused(
                f"{join_words(row.rules)} {'tells' if len(row.rules) == 1 else 'tell'} this "
                "channel. Choose another channel there first."
            )
        told = forget_channel(session, channel_id)
        after = {"notices_by_role": told} if told else None
        record(Action.CHANNEL_DELETED, get_target(channel), describe(channel), after)
        _tell_deleted(session, channel)
        forget_waiting_codes(session, channel.id)
        forget_secrets(session, channel)
        session.delete(channel)
    return name


def _tell_deleted(session: Session, channel: Channel) -> None:
    """In the timelines of alerts that it was still to be told of."""
    waits = (Message.channel_id == channel.id, Message.status == MessageStatus.WAITING)
    alert_ids = session.scalars(
        select(AlertHandling.alert_id)
        .join(Message, Message.handling_id == AlertHandling.id)
        .where(*waits)
        .distinct()
    )
    text = f"{channel.name} was deleted while it was still to be told."
    add_entries(session, [Entry(each, TimelineKind.MESSAGE, text) for each in alert_ids])
