"""Who processes a delivery, how often it is tried, and how that ends."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import count_changed, transaction
from portal.lease import LEASE_TIME, beating, make_lease
from portal.models import Delivery
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.application import get_app
from portal.sync.alerts.hints import find_open_id
from portal.tactical.webhook import Hint

MOST_ATTEMPTS = 12
"""Over some three hours."""
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=30)
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours for a while. As plain values: it may be deleted meanwhile."""

    id: int
    lease: str
    integration_id: int
    alert_id: str | None
    """Tactical's id of the alert; None where nobody knows it."""
    is_named: bool
    """Whether the delivery itself says so."""


def claim_due() -> list[Claimed]:
    """Due ones, kept from other workers until they are done or their lease ends; see `keep`.

    New ones before those that were tried already: what cannot be processed holds nobody up.
    """
    with transaction() as session:
        due = session.scalars(
            select(Delivery)
            .where(is_due())
            .order_by(Delivery.attempts, Delivery.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        claimed, lease = [], make_lease()
        for delivery in due:
            if delivery.attempts >= MOST_ATTEMPTS:  # whoever fails as it should stops before
                fail(
                    delivery,
                    "Processing was interrupted too often. Process the call again.",
                )
                continue
            delivery.lease, delivery.due_at = lease, utc_now() + LEASE_TIME
            delivery.attempts += 1
            claimed.append(
                Claimed(
                    delivery.id,
                    lease,
                    delivery.integration_id,
                    alert_id=_find_alert_id(session, delivery),
                    is_named=delivery.external_alert_id is not None,
                )
            )
    return claimed


def keep(claimed: list[Claimed]) -> AbstractContextManager[None]:
    """Renew the lease of those that are not done yet, while the block runs."""
    ids, lease = [each.id for each in claimed], claimed[0].lease

    def renew() -> bool:
        with transaction() as session:
            ours = update(Delivery).where(Delivery.id.in_(ids), Delivery.lease == lease)
            return count_changed(session, ours.values(due_at=utc_now() + LEASE_TIME)) > 0

    return beating(get_app(), renew)


def _find_alert_id(session: Session, delivery: Delivery) -> str | None:
    """The alert it names; without a name, the open one of its condition."""
    if delivery.external_alert_id is not None or delivery.agent_id is None:
        return delivery.external_alert_id
    try:
        hint = msgspec.convert(delivery.hint, Hint)
    except msgspec.ValidationError:
        return None  # it will fail by itself
    return find_open_id(session, delivery.integration_id, hint)


def is_due() -> ColumnElement[bool]:
    return (Delivery.status == DeliveryStatus.PENDING) & (Delivery.due_at <= utc_now())


def find_own(session: Session, claimed: Claimed) -> Delivery | None:
    """None once it was deleted, or another worker had time to claim it."""
    return session.scalar(
        select(Delivery)
        .where(Delivery.id == claimed.id, Delivery.lease == claimed.lease)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def list_own(session: Session, claimed: Sequence[Claimed]) -> Sequence[Delivery]:
    """Those that are there still, and ours, in the order of their ids."""
    return session.scalars(
        select(Delivery)
        .where(
            Delivery.id.in_([each.id for each in claimed]),
            Delivery.lease.in_({each.lease for each in claimed}),
        )
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def release_claim(claimed: Claimed) -> None:
    """There was no time for it: as if it had not been claimed."""
    with transaction() as session:
        delivery = find_own(session, claimed)
        if delivery is not None:
            delivery.lease = None
            delivery.due_at, delivery.attempts = utc_now(), delivery.attempts - 1


def finish(delivery: Delivery, outcome: str) -> None:
    delivery.status, delivery.outcome, delivery.reason = DeliveryStatus.PROCESSED, outcome, None
    delivery.lease, delivery.due_at, delivery.processed_at = None, None, utc_now()


def retry_later(delivery: Delivery, reason: str, can_retry: bool) -> None:
    """Try again later, each time after twice as long; after the last try it has failed."""
    if not can_retry or delivery.attempts >= MOST_ATTEMPTS:
        fail(delivery, reason)
        return
    pause = min(FIRST_PAUSE * 2 ** (delivery.attempts - 1), LONGEST_PAUSE)
    delivery.lease, delivery.due_at = None, utc_now() + pause * random.uniform(0.8, 1.2)  # noqa: S311
    delivery.reason = reason


def fail(delivery: Delivery, reason: str) -> None:
    delivery.status, delivery.reason = DeliveryStatus.FAILED, reason
    delivery.lease, delivery.due_at, delivery.processed_at = None, None, utc_now()
