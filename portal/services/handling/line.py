"""Reading what waits for a channel, with the handlings and all that was told of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.models import AlertHandling, Channel, Message
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageReason, MessageStatus
from portal.services.accounts.link_mails import forget_codes, list_live
from portal.services.handling.units import Line, find_needless
from portal.sync.alerts.timeline import Entry, add_entries

AT_ONCE = 500
_Messages = Select[Message]
ONE_BY_ONE = 10
"""So many are looked at where each is sent by itself: one to send, and some that need not be sent
or cannot be yet."""
_WHAT = {
    MessageReason.RAISED: "To tell {}",
    MessageReason.REMINDER: "To remind {}",
    MessageReason.ESCALATED: "To escalate it to {}",
    MessageReason.RESOLVED: "To tell {} that it is over",
}


def load_line(session: Session, channel: Channel, left: int, now: datetime) -> Line:
    """In a fixed number of statements, and of rows unless more wait than `left`, which may still be
    sent in this minute. What need not be sent any more is dropped, and then it is read anew."""
    while needless := find_needless(line := _load(session, channel.id, left, now)):
        _drop(session, channel, line, needless, now)
    return line


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """And is not put off until later."""
    is_due = or_(Message.due_at.is_(None), Message.due_at <= now)
    return and_(Message.status == MessageStatus.WAITING, is_due)


def _drop(
    session: Session, channel: Channel, line: Line, needless: Mapping[int, str], now: datetime
) -> None:
    dropped = [message for message in line.waiting if message.id in needless]
    for message in dropped:
        message.status, message.settled_at = MessageStatus.DROPPED, now
        message.answer = needless[message.id]
    forget_codes(session, dropped)
    session.flush()
    add_entries(session, [entry for each in dropped for entry in _tell(line, channel, each)])


def hold(session: Session, unit: Sequence[Message]) -> bool:
    """Whether all of them still wait; then nobody drops them in this transaction."""
    still = select(Message.id).where(
        Message.id.in_([message.id for message in unit]), Message.status == MessageStatus.WAITING
    )
    return len(session.scalars(still.with_for_update()).all()) == len(unit)


def _load(session: Session, channel_id: int, left: int, now: datetime) -> Line:
    query = select(Message).where(Message.channel_id == channel_id)
    query = query.order_by(Message.id).execution_options(populate_existing=True)
    waiting = query.where(is_waiting(now))
    is_crowded = _is_more_than(session, left, waiting)
    chosen = waiting.limit(AT_ONCE) if is_crowded else _choose_few(waiting)
    messages = session.scalars(_with_company(waiting, chosen)).all()
    is_burst = is_crowded and len(messages) >= AT_ONCE
    handling_ids = {each.handling_id for each in messages if each.handling_id is not None}
    notice_ids = {each.notice_id for each in messages if each.notice_id is not None}
    history: Sequence[Message] = ()
    notices: Sequence[Message] = ()
    handlings: Sequence[AlertHandling] = ()
    if notice_ids:
        notices = session.scalars(query.where(Message.notice_id.in_(notice_ids))).all()
    if handling_ids:
        history = session.scalars(query.where(Message.handling_id.in_(handling_ids))).all()
        its = select(AlertHandling).where(AlertHandling.id.in_(handling_ids))
        handlings = session.scalars(its.execution_options(populate_existing=True)).all()
    return Line(
        messages,
        {each.id: each for each in handlings},
        _group(history, lambda each: each.handling_id),
        _group(notices, lambda each: each.notice_id),
        is_burst,
        list_live(session, messages),
    )


def _group(
    messages: Sequence[Message], key: Callable[[Message], int | None]
) -> dict[int, list[Message]]:
    found: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        found[key(message) or 0].append(message)
    return found


def _is_more_than(session: Session, left: int, waiting: _Messages) -> bool:
    some = waiting.with_only_columns(Message.id).limit(left + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > left


def _choose_few(waiting: _Messages) -> _Messages:
    """Those that were tried least, and what waits of the same alerts and notices: it may have to go
    first."""
    heads = select(waiting.with_only_columns(Message.id).subquery().c.id)
    alone = or_(Message.told_in.is_(None), Message.told_in.not_in(heads))
    least = waiting.where(alone).order_by(None)
    first = least.order_by(Message.attempts, Message.id).limit(ONE_BY_ONE)
    few = first.with_only_columns(Message.id, Message.handling_id, Message.notice_id).subquery()
    return waiting.where(
        or_(
            Message.id.in_(select(few.c.id)),
            Message.handling_id.in_(select(few.c.handling_id)),
            Message.notice_id.in_(select(few.c.notice_id)),
        )
    )


def _with_company(waiting: _Messages, chosen: _Messages) -> _Messages:
    """And what went together with them before, all of it: it goes together again."""
    some = chosen.with_only_columns(Message.id, Message.told_in).subquery()
    heads = select(func.coalesce(some.c.told_in, some.c.id))
    return waiting.where(or_(Message.id.in_(select(some.c.id)), Message.told_in.in_(heads)))


def _tell(line: Line, channel: Channel, message: Message) -> Sequence[Entry]:
    handling = line.handling_of(message)
    if handling is None:
        return []
    what = _WHAT[message.reason].format(channel.name)
    text = f"{what} is not needed any more. {message.answer}"
    details = {"message_id": message.id, "channel_id": channel.id}
    return [Entry(handling.alert_id, TimelineKind.MESSAGE, text, details)]
