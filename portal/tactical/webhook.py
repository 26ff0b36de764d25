"""What Tactical's URL actions are to send, and what can be read from what they send.

Tactical fills placeholders in as bare text. When a value breaks the JSON, it sends the broken
text as one JSON string. So the bodies here hold ids only, which always parse, and the reader
takes ids out of broken text too. What it finds is a hint: Tactical's own record is the truth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from portal.tactical.reading.text import clean_prose, clean_text, parse_epoch, parse_near_time

SECRET_HEADER = "X-Alga-Webhook-Secret"  # noqa: S105  # the header's name

TRIGGER, RESOLVE = "trigger", "resolve"
SEVERITIES = ("info", "warning", "error")

_FIELDS = {
    "agent_id": "{{agent.agent_id}}",
    "alert_id": "{{alert.id}}",
    "event": TRIGGER,
    "alert_type": "{{alert.alert_type}}",
    "severity": "{{alert.severity}}",
    "alert_time": "{{alert.alert_time}}",
    "resolved": "{{alert.resolved}}",
    "client_id": "{{client.id}}",
    "site_id": "{{site.id}}",
    "check_id": "{{alert.assigned_check.id}}",
    "task_id": "{{alert.assigned_task.id}}",
}

FAILURE_BODY = json.dumps(_FIELDS, separators=(",", ":"))
RESOLVED_BODY = json.dumps(
    {**_FIELDS, "event": RESOLVE, "resolved_on": "{{alert.resolved_on}}"}, separators=(",", ":")
)

_AGENT_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""Tactical makes them of letters. It ends up in addresses, so nothing else is let through."""

# Possessive: a body of blanks must not be tried in every way that it can be cut.
_PAIR = re.compile(
    r'"(\w{1,40})"\s*+:\s*+"?(\{\{[^"\\{},]{0,200}+\}\}|[^"\\{},]{0,200}+)"?\s*+[,}]'
)

FIRST_MILLISECONDS = 1e11
"""As seconds, this is the year 5138."""


def headers_text(secret: str) -> str:
    """What Tactical's headers field takes. `secret` may be `{{global.name}}` of its key store."""
    return json.dumps({"Content-Type": "application/json", SECRET_HEADER: secret})


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery says. Everything but `event` and `agent_id` may be missing."""

    event: str
    agent_id: str
    alert_id: str | None = None
    alert_type: str | None = None
    severity: str | None = None
    alert_time: datetime | None = None
    resolved_on: datetime | None = None
    client_id: str | None = None
    check_id: str | None = None
    task_id: str | None = None
    message: str | None = None

    @property
    def condition(self) -> str:
        """What trigger and resolve of one condition have in common."""
        return condition_key(self.agent_id, self.alert_type, self.check_id, self.task_id)


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of reading a body: a hint, a test, or a reason why neither."""

    hint: Hint | None = None
    is_test: bool = False
    reason: str | None = None


def condition_key(
    agent_id: str | None, alert_type: str | None, check_id: str | None, task_id: str | None
) -> str:
    return "/".join((agent_id or "", alert_type or "", check_id or "", task_id or ""))


def read_delivery(body: bytes) -> Reading:
    """Never raises, whatever the bytes."""
    text = body.decode("utf-8-sig", errors="replace")
    fields = _read_fields(text)
    if fields is None:
        return Reading(reason="The body is not JSON, and no ids could be read from it.")
    values = {name: _value(fields.get(name)) for name in (*_FIELDS, "resolved_on")}
    if any("{{" in value for value in values.values() if value):
        return Reading(is_test=True)
    severity = (values["severity"] or "").lower()
    if severity and severity not in SEVERITIES:
        return Reading(is_test=True)
    agent_id = values["agent_id"]
    if not agent_id:
        return Reading(reason="The body does not name an agent (agent_id).")
    if not _AGENT_ID.fullmatch(agent_id):
        return Reading(reason="The agent_id is not in the format that Tactical uses.")
    alert_id = values["alert_id"]
    if alert_id is not None and not _is_pk(alert_id):
        return Reading(reason="The alert_id is not a number.")
    message = _value(fields.get("message"), clean_prose)
    return Reading(hint=_hint(values, agent_id, severity, message))


def _hint(values: dict[str, str | None], agent_id: str, severity: str, message: str | None) -> Hint:
    event = (values["event"] or "").lower()
    resolved = event in (RESOLVE, "resolved") if event else values["resolved"] in ("True", "true")
    return Hint(
        event=RESOLVE if resolved else TRIGGER,
        agent_id=agent_id,
        alert_id=None if values["alert_id"] is None else str(int(values["alert_id"])),
        alert_type=(values["alert_type"] or "").lower() or None,
        severity=severity or None,
        alert_time=_time(values["alert_time"]),
        resolved_on=_time(values["resolved_on"]),
        client_id=values["client_id"],
        check_id=values["check_id"],
        task_id=values["task_id"],
        message=message,
    )


def _read_fields(text: str) -> dict[str, Any] | None:
    found = _load(text)
    if isinstance(found, str):
        # The real sender's way of sending what did not parse: a JSON string around it.
        inner = _load(found)
        found = inner if isinstance(inner, dict) else _recover(found)
    if isinstance(found, dict):
        return found
    return None if found is not None else _recover(text)


def _load(text: str) -> Any:
    """The JSON value, or None. The last of equal keys counts, as with the real receiver."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _recover(text: str) -> dict[str, Any] | None:
    """Ids out of broken JSON: the last of equal keys, as free text is to come first."""
    found = {name: value for name, value in _PAIR.findall(text) if name in _FIELDS}
    return found or None


def _value(value: Any, clean: Callable[[Any], str] = clean_text) -> str | None:
    """Text; numbers as text. Tactical writes every empty value as `None`."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        try:
            return str(int(value)) if value == int(value) else str(value)
        except (ValueError, OverflowError):
            return None
    text = clean(value)
    return None if text in ("", "None", "null") else text


def _is_pk(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _time(text: str | None) -> datetime | None:
    """ISO or an epoch in seconds or milliseconds; None for what no alert's time can be."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        found = parse_near_time(text)
    else:
        found = parse_epoch(number if number < FIRST_MILLISECONDS else number / 1000)
    return found if found is not None and 2000 <= found.year < 2100 else None
