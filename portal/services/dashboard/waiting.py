"""What waits for somebody: how many of each, since when, and why, as parts of one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, null, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.models import AssetConflict, AuditEntry, Delivery, Helpdesk, OrganizationMapping
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.audit.actions import Action
from portal.services.conflicts.listing import NEEDS_PERSON
from portal.services.deliveries.history import DeliveryFilter, delivery_conditions
from portal.services.organizations.listing import OrganizationFilter, is_shown

REVIEW_PERIOD: Final = "7d"
"""Webhook calls to review that are older than that are no news."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`why` and `name` are those of one of them: of the helpdesk that fails longest, of the newest
    webhook call, of the oldest conflict."""

    number: int = 0
    since: datetime | None = None
    """Of the first."""
    why: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AllWaiting:
    conflicts: Waiting
    """Those that need a person."""
    failed_calls: Waiting
    unread_calls: Waiting
    """Of the webhook: those that could not be read."""
    helpdesks: Waiting
    """Those that are switched on and did not do what they were asked."""
    held: Waiting
    unmapped: Waiting
    """Organizations."""
    saved_at: datetime | None
    disconnected_at: datetime | None
    """When somebody last saved the connection, and ended it."""
    rule_ended_at: datetime | None
    """When somebody last switched a rule off, or deleted one."""


def waiting_columns() -> list[ColumnElement[Any]]:
    """To be selected from the organizations of the connected server."""
    failed = [Delivery.status == DeliveryStatus.FAILED]
    shown = DeliveryFilter(status=DeliveryStatus.NEEDS_REVIEW, period=REVIEW_PERIOD)
    failing: list[ColumnElement[bool]] = [
        Helpdesk.active.is_(True),
        Helpdesk.failing_since.is_not(None),
    ]
    opened, received = AssetConflict.opened_at, Delivery.received_at
    return [
        *_of(NEEDS_PERSON, opened, AssetConflict.reason, opened),
        *_of(failed, received, Delivery.reason, received.desc()),
        *_of(delivery_conditions(shown), received, Delivery.reason, received.desc()),
        *_of(failing, Helpdesk.failing_since, Helpdesk.last_error, Helpdesk.failing_since),
        _first(failing, Helpdesk.name, Helpdesk.failing_since),
        _since(OrganizationFilter.HELD, OrganizationMapping.held_since),
        _since(OrganizationFilter.UNMAPPED, OrganizationMapping.created_at),
        *(_last(action) for action in (Action.CONNECTION_SAVED, Action.CONNECTION_ENDED)),
        _last(Action.RULE_SWITCHED_OFF, Action.RULE_DELETED),
    ]


def read_waiting(row: Sequence[Any], organizations: dict[OrganizationFilter, int]) -> AllWaiting:
    """Of a row of `waiting_columns`."""
    held_since, unmapped_since, saved_at, ended_at, rule_ended_at = row[13:]
    return AllWaiting(
        conflicts=Waiting(*row[0:3]),
        failed_calls=Waiting(*row[3:6]),
        unread_calls=Waiting(*row[6:9]),
        helpdesks=Waiting(*row[9:13]),
        held=Waiting(organizations[OrganizationFilter.HELD], held_since),
        unmapped=Waiting(organizations[OrganizationFilter.UNMAPPED], unmapped_since),
        saved_at=saved_at,
        disconnected_at=ended_at,
        rule_ended_at=rule_ended_at,
    )


def _of(
    conditions: Sequence[ColumnElement[bool]],
    since: InstrumentedAttribute[Any],
    why: InstrumentedAttribute[Any],
    order: Any,
) -> list[ColumnElement[Any]]:
    """How many, since when, and why."""
    number = select(func.count()).select_from(since.class_).where(*conditions)
    first = select(func.min(since)).where(*conditions)
    return [number.scalar_subquery(), first.scalar_subquery(), _first(conditions, why, order)]


def _first(
    conditions: Sequence[ColumnElement[bool]], of: InstrumentedAttribute[Any], order: Any
) -> ColumnElement[Any]:
    return select(of).where(*conditions).order_by(order).limit(1).scalar_subquery()


def _since(shown: OrganizationFilter, at: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return func.min(case((is_shown(shown), at), else_=null()))


def _last(*actions: Action) -> ColumnElement[Any]:
    """When one of them was last done."""
    its = select(AuditEntry.at).where(AuditEntry.action.in_(actions))
    return its.order_by(AuditEntry.number.desc()).limit(1).scalar_subquery()
