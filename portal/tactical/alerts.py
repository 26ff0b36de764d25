"""Tactical's alerts: read, resolved, snoozed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from portal.egress import Limits
from portal.tactical.http.session import TacticalSession
from portal.tactical.reading.decoding import decode_record, decode_rows, find_row
from portal.tactical.reading.text import clean_count, clean_prose, clean_text, parse_near_time
from portal.tactical.record_errors import UnusableRecord
from portal.tactical.records import BadRecord

LIST_LIMITS = Limits(idle=900, total=1800, largest=1024 * 1024 * 1024)
"""The server needs 9 ms an alert before it sends the first byte: 100,000 take 15 minutes."""

LIST_ALERTS, MANAGE_ALERTS = "can_list_alerts", "can_manage_alerts"


@dataclass(frozen=True, slots=True, kw_only=True)
class TacticalAlert:
    """One alert. `agent_id` and `organization_name` are None where it belongs to no agent."""

    pk: int
    agent_id: str | None
    hostname: str | None
    organization_name: str | None
    alert_type: str
    severity: str
    message: str
    alert_time: datetime
    resolved: bool
    resolved_on: datetime | None
    snoozed: bool
    snooze_until: datetime | None
    check_pk: int | None
    task_pk: int | None
    asked_at: datetime = field(compare=False)
    """When Tactical was asked: of two answers, the one asked for later is the newer."""


class _Row(msgspec.Struct, gc=False):
    id: Any = None
    agent_id: Any = None
    hostname: Any = None
    client: Any = None
    alert_type: Any = None
    severity: Any = None
    message: Any = None
    alert_time: Any = None
    resolved: Any = None
    resolved_on: Any = None
    snoozed: Any = None
    snooze_until: Any = None
    assigned_check: Any = None
    assigned_task: Any = None


_row = msgspec.json.Decoder(_Row)


class TacticalAlerts:
    """The alert endpoints. Every method raises TacticalError and EgressError."""

    def __init__(self, session: TacticalSession) -> None:
        self._session = session

    def list_unresolved(self) -> Iterator[TacticalAlert | BadRecord]:
        """Every alert not resolved that the key's role shows, hidden and snoozed ones too."""
        return self._list({"resolvedFilter": False})

    def list_since(self, days: int) -> Iterator[TacticalAlert | BadRecord]:
        """Every alert raised in the last `days`, resolved or not."""
        return self._list({"timeFilter": days, "resolvedFilter": True})

    def get(self, pk: int) -> TacticalAlert:
        """Raises NotFoundInTactical, UnusableRecord, and MissingPermission for one outside the
        key's role."""
        asked_at = datetime.now(UTC)
        alert = read_alert(self._session.fetch(decode_record, f"/alerts/{pk}/"), asked_at)
        if isinstance(alert, BadRecord):
            raise UnusableRecord(alert.reason)
        return alert

    def resolve(self, pks: Sequence[int]) -> None:
        """Resolve them. No resolved action fires for this, so no webhook comes."""
        self._act(pks, {"bulk_action": "resolve"}, {"type": "resolve"})

    def snooze(self, pks: Sequence[int], days: int) -> None:
        self._act(
            pks,
            {"bulk_action": "snooze", "snooze_days": days},
            {"type": "snooze", "snooze_days": days},
        )

    def unsnooze(self, pk: int) -> None:
        self._session.write("PUT", f"/alerts/{pk}/", {"type": "unsnooze"})

    def _list(self, filters: dict[str, Any]) -> Iterator[TacticalAlert | BadRecord]:
        asked_at = datetime.now(UTC)
        rows = self._session.fetch(
            decode_rows, "/alerts/", limits=LIST_LIMITS, method="PATCH", json=filters
        )
        return (read_alert(row, asked_at) for row in rows)

    def _act(self, pks: Sequence[int], many: dict[str, Any], one: dict[str, Any]) -> None:
        if len(pks) == 1:
            self._session.write("PUT", f"/alerts/{pks[0]}/", one)
        else:
            self._session.write("POST", "/alerts/bulk/", {**many, "alerts": list(pks)})


def read_alert(
    raw: msgspec.Raw | bytes, asked_at: datetime | None = None
) -> TacticalAlert | BadRecord:
    """An element of the list, or the answer for one alert."""
    row = find_row(_row, raw)
    if row is None:
        return BadRecord("The alert cannot be read.", "")
    pk, alert_time = clean_count(row.id), parse_near_time(row.alert_time)
    severity = clean_text(row.severity)
    if pk is None or alert_time is None or severity not in ("info", "warning", "error"):
        return BadRecord("The alert has no usable id, time or severity.", str(pk or ""))
    return TacticalAlert(
        pk=pk,
        agent_id=clean_text(row.agent_id) or None,
        hostname=clean_text(row.hostname) or None,
        organization_name=clean_text(row.client) or None,
        alert_type=clean_text(row.alert_type) or "custom",
        severity=severity,
        message=clean_prose(row.message),
        alert_time=alert_time,
        resolved=row.resolved is True,
        resolved_on=parse_near_time(row.resolved_on),
        snoozed=row.snoozed is True,
        snooze_until=parse_near_time(row.snooze_until),
        check_pk=clean_count(row.assigned_check),
        task_pk=clean_count(row.assigned_task),
        asked_at=asked_at or datetime.now(UTC),
    )
