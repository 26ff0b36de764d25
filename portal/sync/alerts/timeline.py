"""Writing what happens to alerts, for whoever asks why nobody called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import TimelineEntry
from portal.models.alerts.timeline import TimelineKind
from portal.scope import get_tenant_id

TIMELINE = cast(Table, TimelineEntry.__table__)
"""The bare table costs half of the mapped class, and every webhook writes here."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`text` is a sentence for people; `details` are ids of what it is about, as JSON holds them.

    `at`: None for now.
    """

    alert_id: int
    kind: TimelineKind
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


def add_entries(session: Session, entries: Sequence[Entry]) -> None:
    """Any number of entries of the scope's tenant in one statement, in the caller's transaction."""
    if not entries:
        return
    tenant_id, now = get_tenant_id(), utc_now()
    rows = [
        {
            "tenant_id": tenant_id,
            "alert_id": entry.alert_id,
            "at": entry.at or now,
            "kind": entry.kind,
            "text": entry.text,
            "details": dict(entry.details),
        }
        for entry in entries
    ]
    session.execute(insert(TIMELINE), rows)
