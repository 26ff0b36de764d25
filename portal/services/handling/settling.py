"""Writing what came of an attempt: the message, the channel, the timeline and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.channels import Outcome, Result
from portal.clock import utc_now
from portal.db import transaction
from portal.events.outbox import record_events
from portal.lease import LEASE_TIME
from portal.models import AlertHandling, Channel, Message
from portal.models.alerts.timeline import TimelineKind
from portal.models.channels.message import MessageReason, MessageStatus
from portal.models.events.event import EventType
from portal.services.accounts.link_mails import forget_codes
from portal.services.events.delivery import pause_after
from portal.services.handling.attempts import Attempt
from portal.services.handling.units import ALONE, IN_DOUBT
from portal.sync.alerts.timeline import Entry, add_entries
from portal.wording import plural

TRIED_FOR = timedelta(days=1)
FEWEST_ATTEMPTS = 5
"""Before a message is given up, so that a day in which the portal was off is not held against
its channel."""
_TOLD = {
    MessageReason.RAISED: (TimelineKind.MESSAGE, "Told {}"),
    MessageReason.REMINDER: (TimelineKind.REMINDED, "Reminded {}"),
    MessageReason.ESCALATED: (TimelineKind.ESCALATED, "Escalated to {}"),
    MessageReason.RESOLVED: (TimelineKind.MESSAGE, "Told {} that it is over"),
}


def settle(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether the channel is still ours, and may be told the next."""
    now = utc_now()
    with transaction() as session:
        channel = session.scalar(
            select(Channel)
            .where(Channel.id == attempt.channel_id)
            .with_for_update(key_share=True)  # messages for it can be added meanwhile
            .execution_options(populate_existing=True)
        )
        messages = _load_own(session, attempt)
        if channel is None or not messages:
            return False  # deleted, or taken over while this process was stopped
        if outcome.result is Result.SENT:
            _arrive(session, channel, messages, outcome, now)
        elif outcome.result is Result.REFUSED:
            _refuse(session, channel, messages, outcome, now)
        elif _is_of_recipient(messages, outcome):
            _put_off(session, channel, messages, outcome, now)
        else:
            _try_later(session, channel, messages, outcome, now)
        return _move_on(channel, attempt, outcome, now, _is_of_recipient(messages, outcome))


def _load_own(session: Session, attempt: Attempt) -> Sequence[Message]:
    found = session.scalars(
        select(Message)
        .where(
            Message.id.in_(attempt.message_ids),
            Message.status == MessageStatus.WAITING,
            Message.begun_at == attempt.begun_at,
        )
        .order_by(Message.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


def _arrive(
    session: Session, channel: Channel, messages: Sequence[Message], outcome: Outcome, now: datetime
) -> None:
    for message in messages:
        message.status, message.settled_at, message.begun_at = MessageStatus.SENT, now, None
        message.answer, message.thread = outcome.answer, dict(outcome.thread)
    forget_codes(session, messages)
    channel.failures, channel.failing_since, channel.last_error = 0, None, None
    channel.sent_at = now
    _leave_behind(session, channel, messages, outcome, now)
    others = len(messages) - 1
    end = f", together with {plural(others, 'other alert')}" if others else ""
    if messages[0].may_be_double:
        end += "; it may be a second copy, as an earlier answer was lost"
    again = " Who was refused for now is tried again alone." if outcome.put_off else ""
    _write_down(session, channel, messages, f"{end}. {outcome.answer}{again}")
    _record(session, EventType.MESSAGE_SENT, channel, messages)


def _leave_behind(
    session: Session, channel: Channel, messages: Sequence[Message], outcome: Outcome, now: datetime
) -> None:
    """A message of their own for recipients that were refused while others took it: nobody who has
    it is told again. Notices and links go to one person each."""
    about = [message for message in messages if message.handling_id is not None]
    for message in about if messages[0].recipient is None else ():
        for address, answer in {**outcome.put_off, **outcome.turned_away}.items():
            left = Message(
                channel_id=channel.id,
                handling_id=message.handling_id,
                key=f"{message.key}:{address}",
                reason=message.reason,
                recipient=address,
                facts=dict(message.facts),
                attempts=1,
                answer=answer,
                due_at=now + pause_after(1),
                created_at=message.created_at,
            )
            session.add(left)
            session.flush()
            if address in outcome.turned_away:
                _fail(session, channel, [left], answer, now)


def _refuse(
    session: Session, channel: Channel, messages: Sequence[Message], outcome: Outcome, now: datetime
) -> None:
    """For good; what was refused together is told one by one."""
    channel.last_error = outcome.answer
    if len(messages) == 1:
        _fail(session, channel, messages, outcome.answer, now)
        return
    for message in messages:
        message.facts = message.facts | {ALONE: True, IN_DOUBT: False}
        message.told_in, message.begun_at, message.answer = None, None, outcome.answer


def _is_of_recipient(messages: Sequence[Message], outcome: Outcome) -> bool:
    """Whether one mailbox takes nothing now, of which the rest of the channel knows nothing."""
    is_alone = messages[0].recipient is not None
    return is_alone and outcome.result is Result.FAILED and bool(outcome.put_off)


def _put_off(
    session: Session, channel: Channel, messages: Sequence[Message], outcome: Outcome, now: datetime
) -> None:
    """Tried again by itself, for a day; the channel is well and goes on."""
    for message in messages:
        message.answer, message.begun_at = outcome.answer, None
        message.due_at = now + pause_after(message.attempts, outcome.retry_after)
        if not message.facts.get(IN_DOUBT):
            message.told_in = None
    old = [each for each in messages if _is_too_old(each, now)]
    if old:
        _fail(session, channel, old, outcome.answer, now)


def _is_too_old(message: Message, now: datetime) -> bool:
    return message.created_at <= now - TRIED_FOR and message.attempts >= FEWEST_ATTEMPTS


def _try_later(
    session: Session, channel: Channel, messages: Sequence[Message], outcome: Outcome, now: datetime
) -> None:
    is_lost = outcome.result is Result.LOST
    first_time = [message for message in messages if message.attempts == 1]
    for message in messages:
        message.answer = outcome.answer
        if is_lost:  # `begun_at` stays: see `attempts`
            message.facts = message.facts | {IN_DOUBT: True}
            continue
        message.begun_at = None
        if not message.facts.get(IN_DOUBT):
            message.told_in = None
    channel.failures, channel.last_error = channel.failures + 1, outcome.answer
    channel.failing_since = channel.failing_since or now
    if is_lost:
        text = f"The answer of {channel.name} was lost: it may have arrived, and is sent again. "
    else:
        text = f"{channel.name} could not be told yet, and is tried for a day. "
    entries = _entries(session, first_time, TimelineKind.MESSAGE, text + outcome.answer, channel)
    add_entries(session, entries)
    if old := _list_too_old(session, channel, messages, now):
        _fail(session, channel, old, outcome.answer, now)


def _list_too_old(
    session: Session, channel: Channel, messages: Sequence[Message], now: datetime
) -> Sequence[Message]:
    """Of a channel that failed for so long, all that are that old; else this one alone."""
    before = now - TRIED_FOR
    old = [each for each in messages if _is_too_old(each, now)]
    since = channel.failing_since
    if since is None or since > before or channel.failures < FEWEST_ATTEMPTS:
        return old
    query = select(Message).where(
        Message.channel_id == channel.id,
        Message.status == MessageStatus.WAITING,
        Message.created_at <= before,
    )
    return session.scalars(query.with_for_update()).all()


def _fail(
    session: Session, channel: Channel, messages: Sequence[Message], answer: str, now: datetime
) -> None:
    for message in messages:
        message.status, message.settled_at, message.begun_at = MessageStatus.FAILED, now, None
        message.answer = message.answer or answer
    forget_codes(session, messages)
    text = f"{_name(channel, messages[0])} could not be told. {answer}"
    add_entries(session, _entries(session, messages, TimelineKind.MESSAGE, text, channel))
    _record(session, EventType.MESSAGE_FAILED, channel, messages)


def _name(channel: Channel, message: Message) -> str:
    return f"{message.recipient} of {channel.name}" if message.recipient else channel.name


def _move_on(
    channel: Channel, attempt: Attempt, outcome: Outcome, now: datetime, is_well: bool
) -> bool:
    if channel.lease != attempt.lease:
        return False
    if is_well or outcome.result in (Result.SENT, Result.REFUSED):
        channel.due_at = now + LEASE_TIME
        return True
    channel.lease = None
    channel.due_at = now + pause_after(channel.failures, outcome.retry_after)
    return False


def _write_down(session: Session, channel: Channel, messages: Sequence[Message], end: str) -> None:
    for reason, (kind, text) in _TOLD.items():
        some = [message for message in messages if message.reason is reason]
        whole = text.format(_name(channel, messages[0])) + end
        add_entries(session, _entries(session, some, kind, whole, channel))


def _entries(
    session: Session,
    messages: Sequence[Message],
    kind: TimelineKind,
    text: str,
    channel: Channel,
) -> list[Entry]:
    ids = {message.handling_id: message for message in messages if message.handling_id is not None}
    if not ids:
        return []
    rows = session.execute(
        select(AlertHandling.id, AlertHandling.alert_id).where(AlertHandling.id.in_(ids))
    )
    return [
        Entry(row.alert_id, kind, text, {"message_id": ids[row.id].id, "channel_id": channel.id})
        for row in rows
    ]


def _record(
    session: Session, kind: EventType, channel: Channel, messages: Sequence[Message]
) -> None:
    record_events(session, [(kind, channel.name, _payload(channel, each)) for each in messages])


def _payload(channel: Channel, message: Message) -> dict[str, Any]:
    return {
        "message_id": message.id,
        "channel_id": channel.id,
        "channel": channel.name,
        "reason": str(message.reason),
        "handling_id": message.handling_id,
        "notice_id": message.notice_id,
        "recipient": message.recipient,
        "attempts": message.attempts,
        "may_be_double": message.may_be_double,
        "told_in": message.told_in,
        "answer": message.answer,
    }
