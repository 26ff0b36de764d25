"""What happened, as people look at it: the events, and what each is about. Those of the audit trail
have a page of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.models import (
    Alert,
    AlertHandling,
    Asset,
    Delivery,
    Event,
    EventSubscriber,
    Integration,
    SyncRun,
)
from portal.models.events.event import EventType
from portal.scope import allowed_clients
from portal.services.lists.paging import Page, paginate_records
from portal.services.lists.pruning import delete_in_parts
from portal.services.lists.search import (
    any_contains,
    find_named,
    narrow,
    readable,
    split_words,
)

EVENTS_KEPT_FOR = timedelta(days=30)
PRUNED_AT_ONCE = 1000
_IS_FOR_ALL = Event.type != EventType.AUDIT_RECORDED


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event, with its records as far as they still exist."""

    event: Event
    asset: Asset | None
    about: Alert | None
    """The alert that a message tells of."""
    alert_id: int | None
    run_id: int | None
    delivery_id: int | None


def list_events(kind: str = "", search: str = "", page: int = 1) -> Page[EventRow]:
    """The newest first; an empty filter shows all."""
    conditions = narrow(Event.id, _conditions(kind, search), search, in_order=True)
    is_slow = allowed_clients() is not None  # whose an event is, stands in its payload
    found = paginate_records(
        select(Event),
        select(Event.id).where(*conditions).order_by(Event.id.desc()),
        None if is_slow else select(func.count()).select_from(Event).where(*conditions),
        page,
    )
    return Page(_with_details(found.items), found.number, found.total)


def any_events() -> bool:
    return db.session.scalar(select(Event.id).where(_IS_FOR_ALL).limit(1)) is not None


def prune_events() -> int:
    """Delete the events of the scope's tenant that are older than 30 days; how many.

    Not before they were sent to each active subscriber. One that is paused or was stopped
    keeps nothing back: it may never come again.
    """
    delivered = select(func.min(EventSubscriber.last_event_id)).where(EventSubscriber.active)
    up_to = db.session.scalar(delivered)
    before = utc_now() - EVENTS_KEPT_FOR
    return delete_in_parts(Event, lambda: _list_old_ids(before, up_to))


def _list_old_ids(before: datetime, up_to: int | None) -> list[int]:
    """Some of them. The oldest have the lowest ids, so no index of times is needed."""
    query = select(Event.id, Event.occurred_at).order_by(Event.id).limit(PRUNED_AT_ONCE)
    if up_to is not None:
        query = query.where(Event.id <= up_to)
    return [row.id for row in db.session.execute(query) if row.occurred_at < before]


def _conditions(kind: str, search: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_IS_FOR_ALL]
    if kind:
        conditions.append(Event.type == kind)
    readables = readable(Event.subject, Event.type, Event.payload)
    columns = [cast(each, String) if each is Event.payload else each for each in readables]
    for word, named in find_named(Asset.rmm_device_id, split_words(search)).items():
        conditions.append(or_(any_contains(columns, word), Event.subject.in_(named)))
    return conditions


def _with_details(events: Iterable[Event]) -> list[EventRow]:
    events = list(events)
    # Agents and alerts are known by their server: without it no index finds them.
    servers = db.session.scalars(select(Integration.id)).all() if events else []
    assets = _load_assets(events, servers)
    alerts = _load_alert_ids(events, servers)
    told = _load_told_alerts(events)
    runs = _load_ids(SyncRun, events, "run_id")
    deliveries = _load_ids(Delivery, events, "delivery_id")
    return [
        EventRow(
            event,
            assets.get(event.agent_id or ""),
            told.get(event.payload.get("handling_id")),
            alerts.get((event.agent_id or "", str(event.payload.get("external_alert_id") or "")))
            if _is_of_alert(event)
            else None,
            _known(event, "run_id", runs),
            _known(event, "delivery_id", deliveries),
        )
        for event in events
    ]


def _is_of_alert(event: Event) -> bool:
    return event.type in (EventType.ALERT_TRIGGERED, EventType.ALERT_RESOLVED)


def _load_assets(events: list[Event], servers: Sequence[int]) -> dict[str, Asset]:
    ids = {event.agent_id for event in events} - {None}
    found = db.session.scalars(
        select(Asset).where(Asset.integration_id.in_(servers), Asset.rmm_device_id.in_(ids))
    )
    return {asset.rmm_device_id: asset for asset in sorted(found, key=lambda asset: asset.id)}


def _load_alert_ids(events: list[Event], servers: Sequence[int]) -> dict[tuple[str, str], int]:
    """By agent and alert id at Tactical: of several servers, two may have the same alert id."""
    ids = {event.payload.get("external_alert_id") for event in events if _is_of_alert(event)}
    rows = db.session.execute(
        select(Alert.id, Alert.agent_id, Alert.external_alert_id).where(
            Alert.integration_id.in_(servers),
            Alert.external_alert_id.in_(ids - {None}),
        )
    )
    # Sorted here: asked for the order of ids, SQLite would walk all alerts in it.
    known = sorted(rows, key=lambda row: row.id)
    return {(row.agent_id or "", row.external_alert_id or ""): row.id for row in known}


def _load_told_alerts(events: list[Event]) -> dict[int | None, Alert]:
    """By the handling that the message is part of."""
    ids = {event.payload.get("handling_id") for event in events} - {None}
    if not ids:
        return {}
    rows = db.session.execute(
        select(AlertHandling.id, Alert)
        .join(Alert, Alert.id == AlertHandling.alert_id)
        .where(AlertHandling.id.in_(ids))
    )
    return {row.id: row.Alert for row in rows}


def _load_ids(table: Any, events: list[Event], name: str) -> set[int]:
    """Which of the rows named are still there."""
    ids = {event.payload[name] for event in events if isinstance(event.payload.get(name), int)}
    return set(db.session.scalars(select(table.id).where(table.id.in_(ids))))


def _known(event: Event, name: str, there: set[int]) -> int | None:
    row_id = event.payload.get(name)
    return row_id if row_id in there else None
