"""Reading what waits for a channel, with the handlings and all that was told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import AlertHandling, Channel, Message
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageReason, MessageStatus
from portal.services.handling.units import Line, by_handling, find_needless
from portal.sync.alerts.timeline import Entry, add_entries

AT_ONCE = 500
_WHAT = {
    MessageReason.RAISED: "To tell {}",
    MessageReason.REMINDER: "To remind {}",
    MessageReason.ESCALATED: "To escalate it to {}",
    MessageReason.RESOLVED: "To tell {} that it is over",
    MessageReason.ACKNOWLEDGED: "To tell {} who took it",
}


def load_line(session: Session, channel: Channel, now: datetime) -> Line:
    """In three statements. What need not be sent any more is dropped."""
    line = _load(session, channel.id)
    needless = find_needless(line)
    if not needless:
        return line
    dropped = [message for message in line.waiting if message.id in needless]
    for message in dropped:
        message.status, message.settled_at = MessageStatus.DROPPED, now
        message.answer = needless[message.id]
    session.flush()
    add_entries(session, [entry for each in dropped for entry in _tell(line, channel, each)])
    left = [message for message in line.waiting if message.id not in needless]
    return Line(left, line.handlings, line.history)


def hold(session: Session, unit: Sequence[Message]) -> bool:
    """Whether all of them still wait; then nobody drops them in this transaction."""
    still = select(Message.id).where(
        Message.id.in_([message.id for message in unit]), Message.status == MessageStatus.WAITING
    )
    return len(session.scalars(still.with_for_update()).all()) == len(unit)


def _load(session: Session, channel_id: int) -> Line:
    query = select(Message).where(Message.channel_id == channel_id)
    query = query.order_by(Message.id).execution_options(populate_existing=True)
    waiting = session.scalars(query.where(Message.status == MessageStatus.WAITING).limit(AT_ONCE))
    messages = waiting.all()
    ids = {each.handling_id for each in messages if each.handling_id is not None}
    if not ids:
        return Line(messages, {}, {})
    history = session.scalars(query.where(Message.handling_id.in_(ids))).all()
    handlings = session.scalars(
        select(AlertHandling)
        .where(AlertHandling.id.in_(ids))
        .execution_options(populate_existing=True)
    )
    return Line(messages, {each.id: each for each in handlings}, by_handling(history))


def _tell(line: Line, channel: Channel, message: Message) -> Sequence[Entry]:
    handling = line.handling_of(message)
    if handling is None:
        return []
    what = _WHAT[message.reason].format(channel.name)
    text = f"{what} is not needed any more. {message.answer}"
    details = {"message_id": message.id, "channel_id": channel.id}
    return [Entry(handling.alert_id, TimelineKind.MESSAGE, text, details)]
