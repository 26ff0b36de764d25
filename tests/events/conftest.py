"""A tenant whose events one receiver subscribes to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.ctx import AppContext
from sqlalchemy import select

from portal.db import db, transaction
from portal.events.outbox import record_events
from portal.models import Event, EventSubscriber
from portal.models.events.event import ORDINARY, EventType
from portal.scope import tenant_scope
from portal.services.events import subscribers
from tests.events.receiver import Receiver, receiving
from tests.web.world import Place, make_place


@pytest.fixture
def place(app: Flask) -> Place:
    return make_place(app)


@pytest.fixture
def scope(place: Place, app_context: AppContext) -> Iterator[Place]:
    """The tenant's scope, without the subscriber that `make_place` puts there."""
    with tenant_scope(place.id):
        subscribers.delete_subscriber(place.subscriber)
        yield place


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def subscribed(scope: Place, receiver: Receiver) -> int:
    return subscribe(receiver)


def subscribe(receiver: Receiver, *types: str) -> int:
    subscriber, receiver.secret = subscribers.add_subscriber(receiver.url, types)
    return subscriber.id


def happen(*names: str, kind: EventType = EventType.DEVICE_CREATED, **payload: Any) -> None:
    """One event for each name, committed."""
    with transaction() as session:
        record_events(session, [(kind, name, {"name": name, **payload}) for name in names])


def get(subscriber_id: int) -> EventSubscriber:
    return subscribers.get_subscriber(subscriber_id)


def events(*kinds: EventType) -> list[Event]:
    """Of these types, or all but those of the audit trail, in order."""
    query = select(Event).where(Event.type.in_([str(kind) for kind in kinds or ORDINARY]))
    return list(db.session.scalars(query.order_by(Event.id)))
