"""Sending messages: to each channel one at a time, until nothing waits.

At least once, and only once as far as anybody can know: what was begun is committed before the far
side hears of it. A message whose answer was lost is sent again under the same key; where the far
side does not know keys, its text says that it may be a second copy.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import Channel, Message
from portal.models.channels.message import MessageStatus
from portal.services.accounts.link_mails import forget_waiting_codes
from portal.services.handling.attempts import begin
from portal.services.handling.line import is_waiting
from portal.services.handling.settling import settle
from portal.services.turns import is_due, take_turn

SWITCHED_OFF = "The channel was switched off."


def send_messages(channel_id: int) -> int:
    """Send what waits, for a while; how many attempts were made. Does nothing unless due."""
    attempts = take_turn(
        Channel, channel_id, "send_messages", lambda lease: _send_next(channel_id, lease)
    )
    if attempts is None:
        _drop_if_off(channel_id)
    return attempts or 0


def _send_next(channel_id: int, lease: str) -> bool | None:
    attempt = begin(channel_id, lease)
    return None if attempt is None else settle(attempt, attempt.send())


def list_channels_behind() -> list[tuple[int, int]]:
    """Tenant and channel, of those that are due and have messages waiting. Across tenants."""
    waits = exists().where(Message.channel_id == Channel.id, is_waiting(utc_now()))
    rows = db.session.execute(
        select(Channel.tenant_id, Channel.id).where(is_due(Channel), waits).order_by(Channel.id)
    )
    return [(row.tenant_id, row.id) for row in rows]


def _drop_if_off(channel_id: int) -> None:
    """What waits for a channel that a person switched off is not sent."""
    if db.session.scalar(select(Channel.active).where(Channel.id == channel_id)) is not False:
        return
    waiting = (Message.channel_id == channel_id) & (Message.status == MessageStatus.WAITING)
    values = {"status": MessageStatus.DROPPED, "answer": SWITCHED_OFF, "settled_at": utc_now()}
    with transaction() as session:
        forget_waiting_codes(session, channel_id)
        count_changed(session, update(Message).where(waiting).values(values))
