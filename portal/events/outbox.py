"""Writing events: in the transaction of the change that they tell of, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.db import insert, utc_now
from portal.models import Event
from portal.models.event import EventType
from portal.scope import get_tenant_id

Happening = tuple[EventType, str, dict[str, Any]]
"""Type, subject for people, payload as JSON holds it."""


def record_events(session: Session, happenings: Sequence[Happening]) -> None:
    """Any number of events in one statement."""
    if not happenings:
        return
    now = utc_now()
    rows = [
        {
            "tenant_id": get_tenant_id(),
            "type": str(kind),
            "subject": subject,
            "payload": payload,
            "occurred_at": now,
        }
        for kind, subject, payload in happenings
    ]
    session.execute(insert(Event), rows)
