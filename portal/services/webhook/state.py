"""How the webhook does, from what really arrived. Every page and command asks here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from portal.chunks import chunked
from portal.clock import utc_now
from portal.db import db
from portal.models import Alert, Delivery, Integration, WebhookInstallation, WebhookKey
from portal.models.alerts.alert import AlertSource, Severity
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.webhook.execution import TestNotArrived

GRACE = timedelta(minutes=5)
"""An alert and its delivery are seconds apart; only a later one says that deliveries stopped."""
SOME = 100
"""Integrations whose alerts are counted in one statement."""


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

    `test_failed_at` is when the last test of Tactical's did not come, and why; None once anything
    has.
    """

    last_event_at: datetime | None = None
    last_test_at: datetime | None = None
    test_failed_at: datetime | None = None
    test_failed_because: str | None = None
    missed: int = 0
    missed_since: datetime | None = None
    """When the first of them began."""

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
    return list_health(Integration.id == integration.id)[integration.id]


def list_health(*which: ColumnElement[bool]) -> dict[int, Health]:
    """By the ids of the integrations that meet the conditions."""
    found = [_read_signs(tuple(row)) for row in db.session.execute(_select_signs().where(*which))]
    missed = _count_missed(found)
    return {
        signs.integration_id: replace(signs.health, missed=number, missed_since=since)
        for signs in found
        for number, since in [missed.get(signs.integration_id, (0, None))]
    }


@dataclass(frozen=True, slots=True)
class _Signs:
    """`since`: alerts that began later should have come; None while nothing could come."""

    tenant_id: int
    integration_id: int
    health: Health
    since: datetime | None


def _read_signs(row: Sequence[Any]) -> _Signs:
    tenant_id, integration_id, installation, event_at, test_at, watched_since = row
    test_at = _latest(test_at, _arrived(installation))
    arrival = _latest(event_at, test_at)
    since, failed_at = arrival or watched_since, _failed(installation)
    if failed_at is not None and arrival is not None and arrival > failed_at:
        failed_at = None
    because = installation.message if installation and failed_at else None
    health = Health(event_at, test_at, failed_at, because)
    return _Signs(tenant_id, integration_id, health, since + GRACE if since else None)


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _select_signs() -> Select[Any]:
    """Of integrations: the installation or None, when the last event came, the last test, and
    since when anything could."""
    is_test = Delivery.status == DeliveryStatus.TEST
    event_at, test_at = (
        select(Delivery.received_at)
        .where(
            Delivery.tenant_id == Integration.tenant_id,  # as its index begins
            Delivery.integration_id == Integration.id,
            kind,
        )
        .order_by(Delivery.received_at.desc())  # a maximum would read all of them
        .limit(1)
        .scalar_subquery()
        for kind in (~is_test, is_test)
    )
    # Deliveries are not kept for ever, alerts are; they are only looked for without the former.
    reported_at = (
        select(func.max(Alert.received_at))
        .where(Alert.integration_id == Integration.id, Alert.source == AlertSource.WEBHOOK)
        .scalar_subquery()
    )
    since = (
        select(func.min(WebhookKey.created_at))
        .where(WebhookKey.integration_id == Integration.id)
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        *(Integration.tenant_id, Integration.id, WebhookInstallation),
        *(func.coalesce(event_at, reported_at), test_at, since),
    )
    return (
        select(*columns)
        .select_from(Integration)
        .outerjoin(WebhookInstallation, WebhookInstallation.integration_id == Integration.id)
    )


def _arrived(row: WebhookInstallation | None) -> datetime | None:
    """When the last test of Tactical's arrived, though its delivery may be gone by now."""
    return row.finished_at if row and row.ok and row.test_delivery_id else None


def _failed(row: WebhookInstallation | None) -> datetime | None:
    return row.finished_at if row and row.fault == TestNotArrived.fault else None


def _count_missed(found: Sequence[_Signs]) -> dict[int, tuple[int, datetime]]:
    """By integration, how many and when the first of them began; without those that missed none.

    Info alerts are not counted: Tactical sends none of them unless configured to.
    """
    now = utc_now()
    missed: dict[int, tuple[int, datetime]] = {}
    later = [
        and_(
            Alert.tenant_id == signs.tenant_id,
            Alert.integration_id == signs.integration_id,
            Alert.triggered_at > signs.since,
        )
        for signs in found
        if signs.since is not None and signs.since <= now
    ]
    for some in chunked(later, SOME):
        rows = db.session.execute(
            select(Alert.integration_id, func.count(), func.min(Alert.triggered_at))
            .where(
                Alert.source == AlertSource.BACKFILL, Alert.severity != Severity.INFO, or_(*some)
            )
            .group_by(Alert.integration_id)
        )
        missed |= {row[0]: (row[1], row[2]) for row in rows}
    return missed
