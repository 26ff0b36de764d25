"""What people take charge of: alerts with the portal's handling of their present occurrence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.clock import utc_now
from portal.db import insert
from portal.errors import NotFound
from portal.models import Alert, AlertHandling
from portal.models.alerts.alert import IS_PRESENT, AlertStatus
from portal.models.alerts.handling import HandlingState
from portal.scope import get_tenant_id
from portal.services.lists.ticked import check_ticked
from portal.sync.alerts.news import TOO_OLD

MOST_AT_ONCE = 200
"""That are ticked by hand."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    alert: Alert
    handling: AlertHandling

    @property
    def is_over(self) -> bool:
        return self.alert.status is AlertStatus.RESOLVED or self.handling.over_at is not None


def check_ids(alert_ids: Sequence[int], most: int = MOST_AT_ONCE) -> list[int]:
    """Each once. Raises InvalidInput for none, and for too many."""
    return check_ticked(alert_ids, "alert", most)


def hold_current(session: Session, alert_ids: Sequence[int]) -> list[Occurrence]:
    """Of these alerts, those that are there for whoever asks, to be changed in this transaction.

    Raises NotFound if there are none.
    """
    alerts = session.scalars(
        select(Alert)
        .where(Alert.id.in_(alert_ids))
        .options(joinedload(Alert.asset))
        .order_by(Alert.id)
        .execution_options(populate_existing=True)
    ).all()
    if not alerts:
        raise NotFound("This alert does not exist.")
    held = _hold_handlings(session, alert_ids)
    lacking = [alert for alert in alerts if alert.id not in held]
    if lacking:
        add_handlings(session, lacking)
        held = _hold_handlings(session, alert_ids)
    return [Occurrence(alert, held[alert.id]) for alert in alerts if alert.id in held]


def _hold_handlings(session: Session, alert_ids: Sequence[int]) -> dict[int, AlertHandling]:
    """By alert; in one order, so that two who take some of the same do not wait for each other."""
    found = session.scalars(
        select(AlertHandling)
        .join(Alert, IS_PRESENT)
        .where(AlertHandling.alert_id.in_(alert_ids))
        .order_by(AlertHandling.id)
        .with_for_update(of=AlertHandling)
        .execution_options(populate_existing=True)
    )
    return {handling.alert_id: handling for handling in found}


def add_handlings(session: Session, alerts: Sequence[Alert]) -> None:
    """Of alerts that began before the portal had any. Somebody else may do so too."""
    now = utc_now()
    rows = [
        {
            "tenant_id": get_tenant_id(),
            "alert_id": alert.id,
            "occurrence": alert.occurrences,
            "state": HandlingState.SILENT,
            "reason": TOO_OLD,
            "began_at": alert.triggered_at,
            "noticed_at": now,
            "over_at": alert.resolved_at,
            "due_at": None,
        }
        for alert in alerts
    ]
    unique = ("alert_id", "occurrence")
    session.execute(insert(AlertHandling).on_conflict_do_nothing(index_elements=unique), rows)
