"""Sending messages: to each channel one at a time, until nothing waits.

At least once, and only once as far as anybody can know: what was begun is committed before the far
side hears of it. A message whose answer was lost is sent again under the same key; where the far
side does not know keys, its text says that it may be a second copy.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import ColumnElement, exists, select, update

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, count_changed, db, transaction
from portal.lease import LEASE_TIME, beating, make_lease
from portal.models import Channel, Message
from portal.models.channels.message import MessageStatus
from portal.scope import get_tenant_id
from portal.services.application import get_app
from portal.services.handling.attempts import begin
from portal.services.handling.settling import settle

TURN_SECONDS = 10.0
"""Then it is another channel's turn."""
SWITCHED_OFF = "The channel was switched off."


def send_messages(channel_id: int) -> int:
    """Send what waits, for a while; how many attempts were made. Does nothing unless due."""
    lease = _claim(channel_id)
    if lease is None:
        _drop_if_off(channel_id)
        return 0
    with beating(get_app(), lambda: _change_own(channel_id, lease, due_at=utc_now() + LEASE_TIME)):
        attempts, is_done = _send_for_a_while(channel_id, lease)
    if not is_done:
        queue.enqueue("send_messages", get_tenant_id(), channel_id)
    return attempts


def list_channels_behind() -> list[tuple[int, int]]:
    """Tenant and channel, of those that are due and have messages waiting. Across tenants."""
    waits = exists().where(
        Message.channel_id == Channel.id, Message.status == MessageStatus.WAITING
    )
    rows = db.session.execute(
        select(Channel.tenant_id, Channel.id).where(_is_due(), waits).order_by(Channel.id)
    )
    return [(row.tenant_id, row.id) for row in rows]


def _send_for_a_while(channel_id: int, lease: str) -> tuple[int, bool]:
    """How many attempts, and whether nothing more can be done for now."""
    until, attempts = time.monotonic() + TURN_SECONDS, 0
    while time.monotonic() < until:
        attempt = begin(channel_id, lease)
        if attempt is None:
            return attempts, True
        attempts += 1
        if not settle(attempt, attempt.send()):
            return attempts, True
    _change_own(channel_id, lease, lease=None, due_at=None)
    return attempts, False


def _claim(channel_id: int) -> str | None:
    """Ours for a while: nobody else sends to it meanwhile."""
    lease = make_lease()
    statement = update(Channel).where(Channel.id == channel_id, Channel.active, _is_due())
    with transaction() as session:
        values = {"lease": lease, "due_at": utc_now() + LEASE_TIME}
        return lease if changed_one(session, statement.values(values)) else None


def _is_due() -> ColumnElement[bool]:
    return Channel.due_at.is_(None) | (Channel.due_at <= utc_now())


def _change_own(channel_id: int, held: str, /, **values: Any) -> bool:
    statement = update(Channel).where(Channel.id == channel_id, Channel.lease == held)
    with transaction() as session:
        return changed_one(session, statement.values(values))


def _drop_if_off(channel_id: int) -> None:
    """What waits for a channel that a person switched off is not sent."""
    if db.session.scalar(select(Channel.active).where(Channel.id == channel_id)) is not False:
        return
    waiting = (Message.channel_id == channel_id) & (Message.status == MessageStatus.WAITING)
    values = {"status": MessageStatus.DROPPED, "answer": SWITCHED_OFF, "settled_at": utc_now()}
    with transaction() as session:
        count_changed(session, update(Message).where(waiting).values(values))
