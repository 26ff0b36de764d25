"""How the webhook does, from what really arrived. Every page and command asks here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, Delivery, Integration, WebhookInstallation, WebhookKey
from portal.models.alerts.alert import AlertSource, Severity
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.webhook.execution import TestNotArrived

GRACE = timedelta(minutes=5)
"""An alert and its delivery are seconds apart; only a later one says that deliveries stopped."""


class WebhookState(StrEnum):
    WAITING = "waiting"
    """Nothing ever came."""
    TESTED = "tested"
    """A test came, and no alert so far."""
    ARRIVING = "arriving"
    SILENT = "silent"
    """Alerts began since anything came, and no webhook reported them."""
    UNREACHED = "unreached"
    """Tactical's last test did not come, nor has anything since."""


@dataclass(frozen=True, slots=True)
class Health:
    """`missed`: alerts that began since anything came, and that only reconciliation found.

    `test_failed_at` is when the last test of Tactical's did not come; None once anything has.
    """

    last_event_at: datetime | None = None
    last_test_at: datetime | None = None
    test_failed_at: datetime | None = None
    missed: int = 0

    @property
    def last_arrival_at(self) -> datetime | None:
        return _latest(self.last_event_at, self.last_test_at)

    @property
    def is_reached(self) -> bool:
        """Whether what Tactical sends gets to the portal, as far as is known."""
        return self.last_arrival_at is not None and self.test_failed_at is None

    @property
    def state(self) -> WebhookState:
        if self.test_failed_at is not None:
            return WebhookState.UNREACHED
        if self.last_arrival_at is None:
            return WebhookState.WAITING
        if self.missed:
            return WebhookState.SILENT
        return WebhookState.TESTED if self.last_event_at is None else WebhookState.ARRIVING


def get_health(integration: Integration) -> Health:
    """Whether deliveries come, and whether they should."""
    row, event_at, test_at, watched_since = _read_signs(integration)
    test_at = _latest(test_at, _arrived(row))
    arrival = _latest(event_at, test_at)
    since = arrival or watched_since
    failed_at = _failed(row)
    if failed_at is not None and arrival is not None and arrival > failed_at:
        failed_at = None
    missed = _count_missed(integration, since + GRACE) if since else 0
    return Health(event_at, test_at, failed_at, missed)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _read_signs(integration: Integration) -> tuple[Any, ...]:
    """The installation or None, when the last event came, the last test, and since when anything
    could."""
    is_test = Delivery.status == DeliveryStatus.TEST
    event_at, test_at = (
        select(Delivery.received_at)
        .where(Delivery.integration_id == integration.id, kind)
        .order_by(Delivery.received_at.desc())  # a maximum would read all of them
        .limit(1)
        .scalar_subquery()
        for kind in (~is_test, is_test)
    )
    # Deliveries are not kept for ever, alerts are; they are only looked for without the former.
    reported_at = (
        select(func.max(Alert.received_at))
        .where(Alert.integration_id == integration.id, Alert.source == AlertSource.WEBHOOK)
        .scalar_subquery()
    )
    since = (
        select(func.min(WebhookKey.created_at))
        .where(WebhookKey.integration_id == integration.id)
        .scalar_subquery()
    )
    row = db.session.execute(
        select(WebhookInstallation, func.coalesce(event_at, reported_at), test_at, since)
        .select_from(Integration)
        .outerjoin(WebhookInstallation, WebhookInstallation.integration_id == Integration.id)
        .where(Integration.id == integration.id)
    ).one()
    return tuple(row)


def _arrived(row: WebhookInstallation | None) -> datetime | None:
    """When the last test of Tactical's arrived, though its delivery may be gone by now."""
    return row.finished_at if row and row.ok and row.test_delivery_id else None


def _failed(row: WebhookInstallation | None) -> datetime | None:
    return row.finished_at if row and row.fault == TestNotArrived.fault else None


def _count_missed(integration: Integration, since: datetime) -> int:
    """Info alerts are not counted: Tactical sends none of them unless configured to."""
    if since > utc_now():
        return 0
    found = db.session.scalar(
        select(func.count())
        .select_from(Alert)
        .where(
            Alert.integration_id == integration.id,
            Alert.source == AlertSource.BACKFILL,
            Alert.severity != Severity.INFO,
            Alert.triggered_at > since,
        )
    )
    return found or 0
