"""The events of alerts, whichever way the news came."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.clock import iso_utc
from portal.events.outbox import Happening, record_events
from portal.models.alerts.alert import AlertStatus
from portal.models.events.event import EventType

EVENT_COLUMNS = (
    "external_alert_id",
    "agent_id",
    "asset_id",
    "external_organization_id",
    "hostname",
    "alert_type",
    "severity",
    "message",
    "status",
    "triggered_at",
    "resolved_at",
    "occurrences",
)
"""Columns of the alert; `confirmed` beside them says whether Tactical's own record was seen."""


AVAILABILITY = "availability"
"""Tactical's type of an alert about an agent that is overdue."""


def record_alert_events(
    session: Session,
    alerts: Sequence[Mapping[str, Any]],
    confirmed: bool,
    replaced: Collection[str],
) -> None:
    """Of alerts that have just been triggered or resolved, as EVENT_COLUMNS.

    An agent that is overdue because its computer has another one by now, one of `replaced`, is no
    outage: its alert is kept and opens nothing.
    """
    record_events(
        session,
        [
            _alert_event(each, confirmed)
            for each in alerts
            if not (tells_overdue(each) and each["agent_id"] in replaced)
        ],
    )


def tells_overdue(values: Mapping[str, Any]) -> bool:
    return bool(values["alert_type"] == AVAILABILITY and values["agent_id"] and is_open(values))


def is_open(values: Mapping[str, Any]) -> bool:
    return values["status"] is not AlertStatus.RESOLVED


def _alert_event(values: Mapping[str, Any], confirmed: bool) -> Happening:
    kind = EventType.ALERT_TRIGGERED if is_open(values) else EventType.ALERT_RESOLVED
    subject = str(values["hostname"] or values["agent_id"] or "alert")
    return kind, subject, describe_alert(values, confirmed)


def describe_alert(values: Mapping[str, Any], confirmed: bool) -> dict[str, Any]:
    """The payload that all events of an alert have, of its EVENT_COLUMNS."""
    return {name: _plain(values[name]) for name in EVENT_COLUMNS} | {"confirmed": confirmed}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_utc(value)
    return str(value) if isinstance(value, str) else value
