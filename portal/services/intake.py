"""Taking a webhook in: authenticated, read, committed; everything else comes later."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import current_app
from sqlalchemy import insert

from portal import queue
from portal.db import transaction, utc_now
from portal.events.outbox import event_row, write_events
from portal.models import Delivery
from portal.models.event import EventType
from portal.models.webhook import DeliveryStatus
from portal.scope import all_tenants
from portal.services.webhook_keys import Sender
from portal.tactical.webhook import Reading, read_delivery

KEPT_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told. Tactical shows it to its admins."""

    delivery_id: int
    status: DeliveryStatus
    message: str


def take_in(sender: Sender, body: bytes, remote_address: str | None) -> Receipt:
    """Store the delivery, and ask for its processing. Whatever the bytes, it is kept.

    Returns after the commit. Raises SQLAlchemyError when the database does not take it.
    """
    reading = read_delivery(body)
    row = _make_row(sender, body, reading, remote_address)
    delivery_id = _commits.write(row)
    if row["status"] is DeliveryStatus.PENDING:
        nudge(sender.tenant_id)
    return Receipt(delivery_id, row["status"], _told(row))


Row = dict[str, Any]


@dataclass(slots=True)
class _Waiting:
    row: Row
    delivery_id: int | None = None
    error: Exception | None = None


class GroupCommit:
    """One transaction for all deliveries that arrive while the last one is being committed.

    Deliveries come in storms. Each alone would wait for the write lock and for a commit of its
    own; so whoever gets the lock writes what everybody has waiting, and they find it done.
    """

    def __init__(self) -> None:
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_Waiting] = []

    def write(self, row: Row) -> int:
        """The id of the row, once it is committed."""
        mine = _Waiting(row)
        with self._gathering:
            self._waiting.append(mine)
        with self._writing:
            if mine.delivery_id is None and mine.error is None:
                with self._gathering:
                    batch, self._waiting = self._waiting, []
                self._write_batch(batch)
        if mine.error is not None:
            raise mine.error
        assert mine.delivery_id is not None
        return mine.delivery_id

    def _write_batch(self, batch: list[_Waiting]) -> None:
        try:
            ids = _insert([waiting.row for waiting in batch])
        except Exception as error:
            for waiting in batch:
                waiting.error = error
            return
        for waiting, delivery_id in zip(batch, ids, strict=True):
            waiting.delivery_id = delivery_id


_commits = GroupCommit()


def _insert(rows: list[Row]) -> list[int]:
    """The ids of the rows, in order. Their events are committed with them."""
    with all_tenants(), transaction() as session:
        statement = insert(Delivery).returning(Delivery.id, sort_by_parameter_order=True)
        ids = list(session.scalars(statement, rows))
        write_events(session, [_event(row, i) for row, i in zip(rows, ids, strict=True)])
    return ids


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


def nudge(tenant_id: int) -> None:
    """Ask for the processing of what waits, at most once a second for each process.

    A nudge that is lost costs a few seconds: the schedule looks for itself.
    """
    now = time.monotonic()
    nudged_at: dict[int, float] = current_app.extensions.setdefault("nudged_at", {})
    if nudged_at.get(tenant_id, -NUDGE_EVERY) > now - NUDGE_EVERY:
        return
    nudged_at[tenant_id] = now
    if not queue.enqueue("process_deliveries", tenant_id):
        nudged_at[tenant_id] = now + PAUSE_WITHOUT_REDIS


NUDGE_EVERY = 1.0
PAUSE_WITHOUT_REDIS = 10.0
"""A Redis that is away must not slow each delivery down by a connection attempt."""


def _make_row(sender: Sender, body: bytes, reading: Reading, remote_address: str | None) -> Row:
    hint = reading.hint
    status = DeliveryStatus.NEEDS_REVIEW
    if reading.is_test:
        status = DeliveryStatus.TEST
    elif hint is not None:
        status = DeliveryStatus.PENDING
    now = utc_now()
    return {
        "tenant_id": sender.tenant_id,
        "integration_id": sender.integration_id,
        "status": status,
        "reason": reading.reason,
        "event": hint.event if hint else None,
        "external_alert_id": hint.alert_id if hint else None,
        "agent_id": hint.agent_id if hint else None,
        "hint": msgspec.to_builtins(hint) if hint else None,
        "body": body[:KEPT_BODY].decode("utf-8", errors="replace").replace("\0", "\ufffd"),
        "body_bytes": len(body),
        "remote_address": remote_address,
        "received_at": now,
        "due_at": now if hint else None,
        "processed_at": None if hint else now,
        "attempts": 0,
    }


def _told(row: Row) -> str:
    if row["status"] is DeliveryStatus.TEST:
        return "Test delivery received. No alert was made of it."
    if row["status"] is DeliveryStatus.NEEDS_REVIEW:
        return f"Kept for review: {row['reason']}"
    return "Received. It will be processed in a moment."
