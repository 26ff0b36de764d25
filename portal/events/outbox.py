"""Writing events: in the transaction of the change that they report, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import add_rows
from portal.events.order import announce_writer
from portal.models import Event
from portal.models.events.event import EventType
from portal.scope import get_tenant_id

Happening = tuple[EventType, str, dict[str, Any]]
"""Type, subject for people, payload as JSON holds it. `docs/events.md` lists the payloads."""

Row = dict[str, Any]

EVENTS = cast(Table, Event.__table__)
"""The bare table costs half of the mapped class, and every webhook writes here."""


def record_events(
    session: Session, happenings: Sequence[Happening], tenant_id: int | None = None
) -> None:
    """Any number of events in one statement. `tenant_id` is for work across tenants."""
    owner = get_tenant_id() if tenant_id is None else tenant_id
    if happenings:
        announce_writer(session, [owner])
        same = {"tenant_id": owner, "occurred_at": utc_now()}
        rows = ((str(kind), subject, payload) for kind, subject, payload in happenings)
        add_rows(session, Event, same, ("type", "subject", "payload"), rows)


def event_row(
    tenant_id: int, kind: EventType, subject: str, payload: dict[str, Any], occurred_at: datetime
) -> Row:
    return {
        "tenant_id": tenant_id,
        "type": str(kind),
        "subject": subject,
        "payload": payload,
        "occurred_at": occurred_at,
    }


def write_events(session: Session, rows: Sequence[Row]) -> None:
    """`record_events` for rows as `event_row` makes them, of one tenant or of several."""
    if rows:
        announce_writer(session, {row["tenant_id"] for row in rows})
        session.execute(insert(EVENTS), rows)
