"""Deciding about alerts that have become active, are over, or are to be looked at again.

All that is decided at once is written in one transaction, which holds the handlings meanwhile: a
process that dies leaves them as they were, and news that comes meanwhile waits for some
milliseconds and is looked at next.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal import queue
from portal.clock import utc_now
from portal.db import db, insert, transaction
from portal.events.outbox import record_events
from portal.models import AlertHandling, Message
from portal.models.alerts.handling import HandlingState
from portal.models.channels.message import MessageStatus
from portal.scope import get_tenant_id
from portal.services.alerts.snoozing import end_due_snoozes, list_tenants_with_ended_snoozes
from portal.services.handling.decision import decide
from portal.services.handling.facts import Facts, load_facts
from portal.services.handling.outcome import Outcome
from portal.services.tickets.planning import plan_tickets
from portal.sync.alerts.alert_events import EVENT_COLUMNS, describe_alert
from portal.sync.alerts.timeline import add_entries

log = logging.getLogger(__name__)

AT_ONCE = 200
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=30)
MOST_ATTEMPTS = 55
"""With these pauses they take a day."""
UNDECIDABLE = "The portal could not decide about it for a day. Its log says why."


def handle_due() -> int:
    """Decide about what is due of the scope's tenant, until nothing is; how many it were."""
    end_due_snoozes()
    done = number = handle_some()
    while number == AT_ONCE:
        number = handle_some()
        done += number
    return done


def handle_some() -> int:
    """The same of some at once. What is to be sent is enqueued."""
    now = utc_now()
    with transaction() as session:
        due = _claim(session, now)
        facts = load_facts(session, due, now) if due else None
        outcomes = _decide(session, due, facts) if facts else []
        channel_ids = _write(session, outcomes, now)
        helpdesk_ids = plan_tickets(session, outcomes, facts) if facts else set()
    for helpdesk_id in sorted(helpdesk_ids):
        queue.enqueue("do_tickets", get_tenant_id(), helpdesk_id)
    for channel_id in sorted(channel_ids):
        queue.enqueue("send_messages", get_tenant_id(), channel_id)
    return len(due)


def list_tenants_with_due_handlings() -> list[int]:
    """Across tenants."""
    is_due = AlertHandling.due_at <= utc_now()
    due = db.session.scalars(select(AlertHandling.tenant_id).where(is_due).distinct())
    return sorted({*due, *list_tenants_with_ended_snoozes()})


def _claim(session: Session, now: datetime) -> Sequence[AlertHandling]:
    return session.scalars(
        select(AlertHandling)
        .where(AlertHandling.due_at <= now)
        .order_by(AlertHandling.due_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _decide(session: Session, due: Sequence[AlertHandling], facts: Facts) -> list[Outcome]:
    """What cannot be decided costs itself alone, and is tried again later."""
    outcomes = []
    for handling in due:
        try:
            outcome = decide(handling, facts)
            outcome.values["attempts"] = 0
        except Exception:
            log.exception("What to do about alert %s could not be decided.", handling.alert_id)
            outcome = _look_again(handling, facts.now)
        outcomes.append(outcome)
    _record_events(session, outcomes, facts)
    return outcomes


def _look_again(handling: AlertHandling, now: datetime) -> Outcome:
    """Later each time; after about a day no more, and the timeline says so."""
    pause = min(FIRST_PAUSE * 2 ** min(handling.attempts, 10), LONGEST_PAUSE)
    outcome = Outcome(handling, {"attempts": handling.attempts + 1, "due_at": now + pause})
    if handling.attempts + 1 >= MOST_ATTEMPTS:
        was_told = handling.state is HandlingState.ACTED
        state = HandlingState.ACTED if was_told else HandlingState.SILENT
        outcome.be_silent(UNDECIDABLE, state=state, attempts=0)
    return outcome


def _record_events(session: Session, outcomes: Sequence[Outcome], facts: Facts) -> None:
    happenings = []
    for outcome in outcomes:
        alert = facts.alerts.get(outcome.handling.alert_id)
        if outcome.event is not None and alert is not None:
            kind, more = outcome.event
            columns = {name: getattr(alert, name) for name in EVENT_COLUMNS}
            payload = describe_alert(columns, alert.confirmed_at is not None) | more
            happenings.append((kind, alert.hostname or alert.agent_id or "alert", payload))
    record_events(session, happenings)


def _write(session: Session, outcomes: Sequence[Outcome], now: datetime) -> set[int]:
    """The channels that have something to send."""
    for outcome in outcomes:
        for name, value in outcome.values.items():
            setattr(outcome.handling, name, value)
    session.flush()
    add_entries(session, [entry for outcome in outcomes for entry in outcome.entries])
    for outcome in outcomes:
        for message_id, why in outcome.dropped.items():
            _drop(session, message_id, why, now)
    common = {"tenant_id": get_tenant_id(), "created_at": now}
    rows = [common | message for outcome in outcomes for message in outcome.messages]
    if rows:
        statement = insert(Message).on_conflict_do_nothing(index_elements=["tenant_id", "key"])
        session.execute(statement, rows)
    return {message["channel_id"] for outcome in outcomes for message in outcome.messages}


def _drop(session: Session, message_id: int, why: str, now: datetime) -> None:
    """Unless it is being sent."""
    session.execute(
        update(Message)
        .where(
            Message.id == message_id,
            Message.status == MessageStatus.WAITING,
            Message.attempts == 0,
        )
        .values(status=MessageStatus.DROPPED, answer=why, settled_at=now)
        .execution_options(synchronize_session=False)
    )
