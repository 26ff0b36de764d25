"""Taking a webhook in: authenticated, read, committed; everything else comes later."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
from flask import current_app
from sqlalchemy import Table, insert

from portal import queue
from portal.clock import utc_now
from portal.db import transaction
from portal.events.outbox import event_row, write_events
from portal.models import Delivery
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.events.event import EventType
from portal.scope import all_tenants
from portal.services.deliveries.group_commit import GroupCommit
from portal.services.deliveries.rate import charging
from portal.services.webhook.keys import Sender
from portal.tactical.webhook import Reading, read_delivery

KEPT_BODY = 64 * 1024
COMMIT_TIMEOUT_SECONDS = 3.0
"""Tactical waits for 8, and a delivery may wait behind another one that waits."""
REQUEST_EVERY_SECONDS = 1.0
PAUSE_WITHOUT_REDIS = 10.0
"""A Redis that is away must not slow each delivery down by a connection attempt."""
DELIVERIES = cast(Table, Delivery.__table__)
"""The bare table: half the work of the mapped class, and this is the busiest statement."""

Row = dict[str, Any]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the sender. Tactical shows it to its admins."""

    ok: bool = True
    delivery: int
    status: DeliveryStatus
    message: str


def take_in(sender: Sender, body: bytes, remote_address: str | None) -> Receipt:
    """Store the delivery, and ask for its processing. Whatever the bytes, it is kept.

    Returns after the commit. Raises NotStored when the database does not take it.
    """
    reading = read_delivery(body)
    row = _make_row(sender, body, reading, remote_address)
    delivery_id = _commits.write(row)
    if row["status"] is DeliveryStatus.PENDING:
        request_processing(sender.tenant_id)
    return Receipt(delivery=delivery_id, status=row["status"], message=_message(row))


def request_processing(tenant_id: int) -> None:
    """Ask for the processing of what waits, at most once a second for each process.

    A request that is lost costs a few seconds: the tick finds what is due.
    """
    now = time.monotonic()
    requests: _Requests = current_app.extensions.setdefault("processing_requests", _Requests())
    if (
        requests.asked.get(tenant_id, -REQUEST_EVERY_SECONDS) > now - REQUEST_EVERY_SECONDS
        or now < requests.away_until
    ):
        return
    requests.asked[tenant_id] = now
    if not queue.enqueue_quickly("process_deliveries", tenant_id):
        requests.away_until = now + PAUSE_WITHOUT_REDIS


@dataclass(slots=True)
class _Requests:
    asked: dict[int, float] = field(default_factory=dict)
    away_until: float = 0.0


def _insert(rows: list[Row]) -> list[int]:
    """The ids of the rows, in order. Their events are committed with them."""
    with all_tenants(), charging(rows) as charge, transaction(COMMIT_TIMEOUT_SECONDS) as session:
        charge(session)
        statement = insert(DELIVERIES).returning(DELIVERIES.c.id, sort_by_parameter_order=True)
        ids = list(session.scalars(statement, rows))
        write_events(session, [_event(row, i) for row, i in zip(rows, ids, strict=True)])
    return ids


_commits = GroupCommit[Row](_insert)


def _event(row: Row, delivery_id: int) -> Row:
    payload = {
        "delivery_id": delivery_id,
        "status": str(row["status"]),
        "event": row["event"],
        "agent_id": row["agent_id"],
        "external_alert_id": row["external_alert_id"],
    }
    subject = row["agent_id"] or "unknown agent"
    return event_row(
        row["tenant_id"], EventType.WEBHOOK_RECEIVED, subject, payload, row["received_at"]
    )


def _make_row(sender: Sender, body: bytes, reading: Reading, remote_address: str | None) -> Row:
    hint = reading.hint
    status = DeliveryStatus.NEEDS_REVIEW
    if reading.is_test:
        status = DeliveryStatus.TEST
    elif hint is not None:
        status = DeliveryStatus.PENDING
    now = utc_now()
    kept = body[:KEPT_BODY].decode("utf-8", errors="replace").replace("\0", "\ufffd")
    return {
        "tenant_id": sender.tenant_id,
        "integration_id": sender.integration_id,
        "status": status,
        "reason": reading.reason,
        "event": hint.event if hint else None,
        "external_alert_id": hint.alert_id if hint else None,
        "agent_id": hint.agent_id if hint else None,
        "hint": msgspec.to_builtins(hint) if hint else None,
        "body": kept,
        "body_bytes": len(body),
        "kept_bytes": len(kept.encode()),
        "remote_address": remote_address,
        "received_at": now,
        "due_at": now if hint else None,
        "processed_at": None if hint else now,
        "attempts": 0,
    }


def _message(row: Row) -> str:
    if row["status"] is DeliveryStatus.TEST:
        return "The test call was received. Test calls create no alert."
    if row["status"] is DeliveryStatus.NEEDS_REVIEW:
        return f"The call was kept for review. {row['reason']}"
    return "The call was received and will be processed shortly."
