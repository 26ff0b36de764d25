"""Sending events to subscribers: to each in order, at its own pace, until it has them all.

At least once: an event whose answer was lost is sent again, under the same id. A subscriber
that fails holds up its own events and nothing else.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Row, exists, select, update

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, db, release, transaction
from portal.errors import SecretUnreadable
from portal.events.delivery import Message, SendOutcome, send
from portal.events.order import find_settled_id
from portal.lease import LEASE_TIME, beating, make_lease
from portal.models import Event, EventSubscriber
from portal.scope import get_tenant_id
from portal.services.application import get_app
from portal.services.events.subscribers import SIGNING_SECRET, get_address, is_wanted
from portal.services.integrations.networks import get_gateway
from portal.vault import find_secret

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_RETRY_AFTER = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=3)
FEWEST_FAILURES = 20
"""Before giving up, so that three days in which the portal was off are not held against anyone."""
TURN_SECONDS = 20.0
"""Then it is another subscriber's turn."""
AT_ONCE = 100


def deliver_events(subscriber_id: int) -> int:
    """Send what waits, for a while; how many events were taken. Does nothing unless due."""
    lease = _claim(subscriber_id)
    if lease is None:
        return 0
    with beating(
        get_app(), lambda: _change_own(subscriber_id, lease, due_at=utc_now() + LEASE_TIME)
    ):
        sent, is_done = _deliver(subscriber_id, lease)
    if not is_done:
        queue.enqueue("deliver_events", get_tenant_id(), subscriber_id)
    return sent


def _deliver(subscriber_id: int, lease: str) -> tuple[int, bool]:
    """How many were sent, and whether nothing more can be done for now."""
    newest = find_settled_id(db.session())
    release()
    if newest is None:
        log.info("Events of tenant %s are still being written; sent later.", get_tenant_id())
        _free(subscriber_id, lease)
        return 0, True
    return _send_up_to(subscriber_id, lease, newest)


def list_subscribers_behind() -> list[tuple[int, int]]:
    """Tenant and subscriber, of those that are due and have events waiting."""
    waits = exists().where(
        Event.tenant_id == EventSubscriber.tenant_id, Event.id > EventSubscriber.last_event_id
    )
    rows = db.session.execute(
        select(EventSubscriber.tenant_id, EventSubscriber.id)
        .where(_is_due(), waits)
        .order_by(EventSubscriber.id)
    )
    return [(row.tenant_id, row.id) for row in rows]


def pause_after(failures: int, retry_after: float | None = None) -> timedelta:
    """Twice as long after each failure, with jitter; longer when the receiver asks for it."""
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)
    pause = pause * random.uniform(0.8, 1.2)  # noqa: S311  # spreads retries, guards nothing
    if retry_after is None:
        return pause
    return max(pause, min(timedelta(seconds=retry_after), LONGEST_RETRY_AFTER))


@dataclass(slots=True)
class _Turn:
    """A subscriber while events are sent to it."""

    subscriber_id: int
    lease: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    types: list[str]
    last_event_id: int
    failures: int
    failing_since: datetime | None
    moved_at: float = field(default_factory=time.monotonic)


def _send_up_to(subscriber_id: int, lease: str, newest: int) -> tuple[int, bool]:
    turn = _begin_turn(subscriber_id, lease)
    until, sent = time.monotonic() + TURN_SECONDS, 0
    while turn is not None:
        events = _list_events(turn, newest)
        release()
        if not events:
            _move(turn, max(newest, turn.last_event_id), lease=None, due_at=None)
            break
        for event in events:
            if time.monotonic() > until:
                _free(subscriber_id, lease)
                return sent, False
            if not _send_one(turn, event):
                return sent, True
            sent += 1
    return sent, True


def _begin_turn(subscriber_id: int, lease: str) -> _Turn | None:
    subscriber = db.session.scalar(
        select(EventSubscriber)
        .where(EventSubscriber.id == subscriber_id, EventSubscriber.active)
        .execution_options(populate_existing=True)
    )
    if subscriber is None:
        return None
    turn = _Turn(
        subscriber_id=subscriber.id,
        lease=lease,
        url="",
        secret="",
        types=list(subscriber.types),
        last_event_id=subscriber.last_event_id,
        failures=subscriber.failures,
        failing_since=subscriber.failing_since,
    )
    try:
        turn.url = get_address(subscriber)
        turn.secret = find_secret(subscriber, SIGNING_SECRET) or ""
    except SecretUnreadable as error:
        _note_failure(turn, SendOutcome(problem=error.message))
        return None
    return turn


def _send_one(turn: _Turn, event: Row[Any]) -> bool:
    """Whether the receiver has it and the next one may follow."""
    # Another one may send by now, and what came out of order cannot be taken back.
    was_stopped = time.monotonic() - turn.moved_at > LEASE_TIME.total_seconds() / 2
    if was_stopped and not _move(turn, turn.last_event_id):
        return False
    message = Message(f"evt_{event.id}", event.type, event.occurred_at, event.payload)
    outcome = send(get_gateway(), turn.url, turn.secret, message)
    if outcome.problem is not None:
        _note_failure(turn, outcome)
        return False
    turn.failures, turn.failing_since = 0, None
    return _move(
        turn,
        event.id,
        due_at=utc_now() + LEASE_TIME,
        delivered_at=utc_now(),
        failures=0,
        failing_since=None,
        last_error=None,
    )


def _note_failure(turn: _Turn, outcome: SendOutcome) -> None:
    now = utc_now()
    failures, since = turn.failures + 1, turn.failing_since or now
    given_up = now - since >= GIVE_UP_AFTER and failures >= FEWEST_FAILURES
    is_over = outcome.is_gone or given_up
    _move(
        turn,
        turn.last_event_id,
        lease=None,
        due_at=None if is_over else now + pause_after(failures, outcome.retry_after),
        failures=failures,
        failing_since=since,
        last_error=outcome.problem,
        active=not is_over,
    )
    if is_over:
        log.warning(
            "Subscriber %s of tenant %s was stopped: %s",
            turn.subscriber_id,
            get_tenant_id(),
            outcome.problem,
        )


def _is_due() -> ColumnElement[bool]:
    due_at = EventSubscriber.due_at
    return EventSubscriber.active & (due_at.is_(None) | (due_at <= utc_now()))


def _claim(subscriber_id: int) -> str | None:
    """Ours for a while: nobody else sends to it meanwhile, or the order would be lost."""
    lease = make_lease()
    values = {"lease": lease, "due_at": utc_now() + LEASE_TIME}
    return lease if _change(values, EventSubscriber.id == subscriber_id, _is_due()) else None


def _free(subscriber_id: int, lease: str) -> None:
    _change_own(subscriber_id, lease, lease=None, due_at=None)


def _move(turn: _Turn, to: int, **values: Any) -> bool:
    """Write how far it is; False when it was paused, deleted or claimed by another process."""
    turn.last_event_id, turn.moved_at = to, time.monotonic()
    return _change_own(turn.subscriber_id, turn.lease, last_event_id=to, **values)


def _change_own(subscriber_id: int, held: str, /, **values: Any) -> bool:
    return _change(
        values,
        EventSubscriber.id == subscriber_id,
        EventSubscriber.active,
        EventSubscriber.lease == held,
    )


def _change(values: dict[str, Any], *which: ColumnExpressionArgument[bool]) -> bool:
    with transaction() as session:
        return changed_one(session, update(EventSubscriber).where(*which).values(values))


def _list_events(turn: _Turn, newest: int) -> list[Row[Any]]:
    query = (
        select(Event.id, Event.type, Event.payload, Event.occurred_at)
        .where(Event.id > turn.last_event_id, Event.id <= newest, is_wanted(turn.types))
        .order_by(Event.id)
        .limit(AT_ONCE)
    )
    return list(db.session.execute(query).all())
