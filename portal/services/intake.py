"""Taking a webhook in: authenticated, read, committed; everything else comes later."""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from portal import queue
from portal.db import transaction, utc_now
from portal.events.outbox import record_events
from portal.models import Delivery
from portal.models.event import EventType
from portal.models.webhook import DeliveryStatus
from portal.scope import tenant_scope
from portal.services.webhook_keys import Sender, note_use
from portal.tactical.webhook import Reading, read_delivery

LARGEST_BODY = 1024 * 1024
KEPT_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told. Tactical shows it to its admins."""

    delivery_id: int
    status: DeliveryStatus
    message: str


def take_in(sender: Sender, body: bytes, remote_address: str | None) -> Receipt:
    """Store the delivery, and ask for its processing. Whatever the bytes, it is kept."""
    reading = read_delivery(body)
    delivery = _make_delivery(sender, body, reading, remote_address)
    with tenant_scope(sender.tenant_id):
        with transaction() as session:
            session.add(delivery)
            note_use(session, sender)
            session.flush()
            payload = {
                "delivery_id": delivery.id,
                "agent_id": delivery.agent_id,
                "status": str(delivery.status),
            }
            subject = delivery.agent_id or "unknown agent"
            record_events(session, [(EventType.WEBHOOK_RECEIVED, subject, payload)])
        if delivery.status is DeliveryStatus.PENDING:
            nudge(sender.tenant_id)
    return Receipt(delivery.id, delivery.status, _told(delivery))


def nudge(tenant_id: int) -> None:
    """Ask for the processing of what waits, at most once a second for each process.

    A nudge that is lost costs a few seconds: the schedule looks for itself.
    """
    now = time.monotonic()
    if _nudged_at.get(tenant_id, -NUDGE_EVERY) > now - NUDGE_EVERY:
        return
    _nudged_at[tenant_id] = now
    if not queue.enqueue("process_deliveries", tenant_id):
        _nudged_at[tenant_id] = now + PAUSE_WITHOUT_REDIS


NUDGE_EVERY = 1.0
PAUSE_WITHOUT_REDIS = 10.0
"""A Redis that is away must not slow each delivery down by a connection attempt."""
_nudged_at: dict[int, float] = {}


def _make_delivery(
    sender: Sender, body: bytes, reading: Reading, remote_address: str | None
) -> Delivery:
    hint = reading.hint
    status = DeliveryStatus.NEEDS_REVIEW
    if reading.is_test:
        status = DeliveryStatus.TEST
    elif hint is not None:
        status = DeliveryStatus.PENDING
    now = utc_now()
    return Delivery(
        tenant_id=sender.tenant_id,
        integration_id=sender.integration_id,
        status=status,
        reason=reading.reason,
        event=hint.event if hint else None,
        external_alert_id=hint.alert_id if hint else None,
        agent_id=hint.agent_id if hint else None,
        hint=msgspec.to_builtins(hint) if hint else None,
        body=body[:KEPT_BODY].decode("utf-8", errors="replace").replace("\0", "\ufffd"),
        body_bytes=len(body),
        remote_address=remote_address,
        received_at=now,
        due_at=now if hint else None,
        processed_at=None if hint else now,
        attempts=0,
    )


def _told(delivery: Delivery) -> str:
    if delivery.status is DeliveryStatus.TEST:
        return "Test delivery received. No alert was made of it."
    if delivery.status is DeliveryStatus.NEEDS_REVIEW:
        return f"Kept for review: {delivery.reason}"
    return "Received. It will be processed in a moment."
