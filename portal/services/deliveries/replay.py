"""Processing deliveries once more: soon, by a worker, or at once, for a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from portal import queue
from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput, Refused
from portal.models import Delivery
from portal.models.deliveries.delivery import DeliveryStatus
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import gathered
from portal.services.deliveries.history import (
    DeliveryFilter,
    delivery_conditions,
    get_delivery,
)
from portal.services.deliveries.processing import process_due
from portal.tactical.webhook import read_delivery
from portal.wording import plural

MOST_AT_ONCE = 2000
MOST_REASONS = 20
AGAIN = (DeliveryStatus.FAILED, DeliveryStatus.NEEDS_REVIEW)
"""What people have processed again."""
IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many were replayed, and what they are now."""

    counts: dict[str, int]
    reasons: list[str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def processed(self) -> int:
        return self.counts[DeliveryStatus.PROCESSED]


def replay_soon(delivery_id: int) -> Delivery:
    """Have a worker process it again. Raises NotFound, and Refused with the reason."""
    delivery = _replay(delivery_id)
    _ask_a_worker()
    return delivery


def replay_failed_soon() -> int:
    """Have a worker process all that failed; how many."""
    number = reset_failed()
    if number:
        _ask_a_worker()
    return number


def replay_many_soon(which: Sequence[int] | DeliveryFilter) -> int:
    """Have a worker process those of them that failed or need a review, and that can be; how many.

    Raises InvalidInput for none, and for too many.
    """
    if isinstance(which, DeliveryFilter):
        its = delivery_conditions(which)
    else:
        its = [Delivery.id.in_(which)]
    query = select(Delivery).where(*its, Delivery.status.in_(AGAIN)).order_by(Delivery.id)
    with transaction() as session:
        found = session.scalars(query.limit(MOST_AT_ONCE + 1)).all()
        if not found:
            raise InvalidInput("Select at least one call that failed or needs review.")
        if len(found) > MOST_AT_ONCE:
            most = f"{MOST_AT_ONCE:,} calls match, which is the most at once."
            raise InvalidInput(f"More than {most} Filter further.")
        done = _make_all_due(found)
    if done:
        _ask_a_worker()
    return done


def replay_now(delivery_id: int) -> Replayed:
    """Process it in this process. Raises NotFound, and Refused with the reason."""
    delivery = _replay(delivery_id)
    return _process([delivery.id])


def replay_failed_now() -> Replayed:
    """Process all that failed in this process."""
    failed = select(Delivery.id).where(Delivery.status == DeliveryStatus.FAILED)
    ids = list(db.session.scalars(failed))
    reset_failed()
    return _process(ids)


def reset(delivery_id: int) -> Delivery:
    """Make a delivery due again, as if it had just come in. Ten replays leave one alert.

    Raises NotFound, and Refused for one whose body would have to be read and was dropped.
    """
    with transaction():
        delivery = get_delivery(delivery_id)
        if delivery.hint is None and delivery.is_body_dropped:
            raise Refused(
                "The call cannot be processed again: its body, which the portal had not been "
                "able to read, was deleted to make room for newer ones."
            )
        before = {"status": str(delivery.status)}
        _make_due(delivery)
        if delivery.status is DeliveryStatus.PENDING:
            about, after = Target("delivery", delivery.id), {"status": str(delivery.status)}
            record(Action.DELIVERIES_REPLAYED, about, before, after)
    return delivery


def reset_failed() -> int:
    """Make every failed delivery due again; how many."""
    with transaction() as session:
        failed = session.scalars(
            select(Delivery).where(Delivery.status == DeliveryStatus.FAILED)
        ).all()
        return _make_all_due(failed)


def _make_all_due(found: Sequence[Delivery]) -> int:
    """In the caller's transaction: how many became so."""
    was = {delivery.id: {"status": str(delivery.status)} for delivery in found}
    for delivery in found:
        _make_due(delivery)
    due = [each.id for each in found if each.status is DeliveryStatus.PENDING]
    if due:
        about = Target("delivery", "", plural(len(due), "webhook call"))
        before = gathered((each, was[each]) for each in due)
        after = {"status": str(DeliveryStatus.PENDING), "calls": due}
        record(Action.DELIVERIES_REPLAYED, about, before, after)
    return len(due)


def _make_due(delivery: Delivery) -> None:
    """A body that is a test or unreadable stays what it is."""
    if delivery.hint is None:
        hint = read_delivery(delivery.body.encode()).hint
        if hint is None:
            return
        # Read by a portal that has learnt to read it since.
        delivery.hint, delivery.event = msgspec.to_builtins(hint), hint.event
        delivery.external_alert_id, delivery.agent_id = hint.alert_id, hint.agent_id
    delivery.status, delivery.reason = DeliveryStatus.PENDING, None
    delivery.lease, delivery.due_at, delivery.attempts = None, utc_now(), 0


def _replay(delivery_id: int) -> Delivery:
    delivery = reset(delivery_id)
    if delivery.status is DeliveryStatus.TEST:
        raise Refused("This is a test call: there is nothing to process.")
    if delivery.status is not DeliveryStatus.PENDING:
        raise Refused(f"The call still cannot be used. {delivery.reason or ''}".strip())
    return delivery


def _ask_a_worker() -> None:
    # Not `intake.request_processing`, which asks once a second at most: a person waits for it.
    queue.enqueue("process_deliveries", get_tenant_id())


def _process(ids: list[int]) -> Replayed:
    """Whatever else is due is processed with them. One that must wait is reported as pending."""
    process_due()
    counts = {str(status): 0 for status in DeliveryStatus}
    reasons: dict[str, None] = {}
    for some in chunked(ids, IDS_AT_ONCE):
        rows = db.session.execute(
            select(Delivery.id, Delivery.status, Delivery.reason)
            .where(Delivery.id.in_(some))
            .order_by(Delivery.id)
        )
        for number, status, reason in rows:
            counts[str(status)] += 1
            if status is not DeliveryStatus.PROCESSED:
                reasons.setdefault(f"Call {number}: {reason or 'it is waiting to be processed.'}")
    return Replayed(counts, list(reasons)[:MOST_REASONS])
