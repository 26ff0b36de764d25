"""The story of an alert as programs read it: who was told, and what happened."""

from __future__ import annotations

from typing import Any

from portal.clock import iso_utc
from portal.models import TimelineEntry
from portal.services.alerts.answer import answer
from portal.services.alerts.listing import get_alert
from portal.services.alerts.timeline import SentMessage, list_entries, list_messages


def tell_story(alert_id: int) -> dict[str, Any]:
    """Of the present occurrence, but for the entries, which are those of all. Raises NotFound."""
    handling = get_alert(alert_id).handling
    messages = list_messages(handling.id) if handling else []
    return {
        "id": alert_id,
        "answer": answer(handling, messages),
        "entries": [describe_entry(entry) for entry in list_entries(alert_id)],
        "messages": [_describe_message(sent) for sent in messages],
    }


def describe_entry(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "at": iso_utc(entry.at),
        "kind": str(entry.kind),
        "text": entry.text,
        "details": entry.details,
    }


def _describe_message(sent: SentMessage) -> dict[str, Any]:
    message = sent.message
    return {
        "channel": sent.channel,
        "recipient": message.recipient,
        "reason": str(message.reason),
        "status": str(message.status),
        "attempts": message.attempts,
        "answer": message.answer,
        "may_be_double": message.may_be_double,
        "settled_at": message.settled_at and iso_utc(message.settled_at),
    }
