"""The events of alerts, whichever way the news came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portal.clock import iso_utc
from portal.events.outbox import Happening
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


def alert_event(values: Mapping[str, Any], confirmed: bool) -> Happening:
    """Of an alert that has just been triggered or resolved: its status says which."""
    is_open = values["status"] is not AlertStatus.RESOLVED
    kind = EventType.ALERT_TRIGGERED if is_open else EventType.ALERT_RESOLVED
    payload = {name: _plain(values[name]) for name in EVENT_COLUMNS} | {"confirmed": confirmed}
    return kind, str(values["hostname"] or values["agent_id"] or "alert"), payload


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_utc(value)
    return str(value) if isinstance(value, str) else value
