"""Subscribers to events: added, tried, paused, deleted. `events.delivery` sends to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import ColumnElement, func, select

from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.errors import InvalidInput, NotFound, Refused, SecretUnreadable
from portal.events.delivery import Message, SendOutcome, make_secret, send
from portal.models import Errand, Event, EventSubscriber, Tenant
from portal.models.errands.errand import ErrandKind
from portal.models.events.event import ORDINARY, EventType
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.integrations.networks import get_gateway
from portal.vault import find_secret, forget_secrets, store_secret

ADDRESS = "url"
SIGNING_SECRET = "signing_secret"  # noqa: S105  # the name of a field
LONGEST_URL = 1000
MOST_SUBSCRIBERS = 20
TEST_TYPE = "rmm.test"
"""Never in the table of events: a subscriber gets it when a person asks for it."""


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    """`waiting`: events that were not sent to it yet."""

    subscriber: EventSubscriber
    waiting: int

    @property
    def state(self) -> str:
        """`active`, `failing`, `stopped` (failed for too long) or `paused` (by a person)."""
        subscriber = self.subscriber
        if subscriber.active:
            return "failing" if subscriber.failures else "active"
        return "stopped" if subscriber.failures else "paused"


def list_subscribers() -> list[SubscriberRow]:
    found = db.session.scalars(
        select(EventSubscriber)
        .order_by(EventSubscriber.id)
        .execution_options(populate_existing=True)
    ).all()
    return [SubscriberRow(subscriber, _count_waiting(subscriber)) for subscriber in found]


def get_subscriber(subscriber_id: int) -> EventSubscriber:
    subscriber = db.session.scalar(
        select(EventSubscriber)
        .where(EventSubscriber.id == subscriber_id)
        .execution_options(populate_existing=True)
    )
    if subscriber is None:
        raise NotFound("This subscriber does not exist.")
    return subscriber


def add_subscriber(url: str, types: Iterable[str] = ()) -> tuple[EventSubscriber, str]:
    """The subscriber, which gets what happens from now on, and its secret: seen this once.

    Without types it gets all events but those of the audit trail. Raises InvalidInput and Refused.
    """
    url, chosen = clean_url(url), _clean_types(types)
    with transaction() as session:
        # One at a time; who only adds rows of the tenant does not wait.
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        stored = session.scalars(select(EventSubscriber)).all()
        if any(_has_address(subscriber, url) for subscriber in stored):
            raise InvalidInput("A subscriber with this address already exists.", field="url")
        if len(stored) >= MOST_SUBSCRIBERS:
            raise Refused(
                f"There are already {MOST_SUBSCRIBERS} subscribers, which is the most allowed. "
                "Delete one first."
            )
        newest = session.scalar(select(func.max(Event.id))) or 0
        subscriber = EventSubscriber(host=urlsplit(url).netloc, types=chosen, last_event_id=newest)
        session.add(subscriber)
        session.flush()
        secret = make_secret()
        store_secret(session, subscriber, ADDRESS, url)
        store_secret(session, subscriber, SIGNING_SECRET, secret)
        _record(
            Action.SUBSCRIBER_ADDED, subscriber, after={"types": chosen, "signing_secret": secret}
        )
    return subscriber, secret


def pause_subscriber(subscriber_id: int) -> EventSubscriber:
    with transaction():
        subscriber = get_subscriber(subscriber_id)
        was = {"active": subscriber.active}
        _record(Action.SUBSCRIBER_PAUSED, subscriber, was, {"active": False})
        subscriber.active = False
        _forget_failures(subscriber)
    return subscriber


def resume_subscriber(subscriber_id: int) -> EventSubscriber:
    """Go on where it was: what happened meanwhile is sent now, as far as it is kept."""
    with transaction():
        subscriber = get_subscriber(subscriber_id)
        was = {"active": subscriber.active}
        _record(Action.SUBSCRIBER_RESUMED, subscriber, was, {"active": True})
        subscriber.active = True
        _forget_failures(subscriber)
    return subscriber


def delete_subscriber(subscriber_id: int) -> None:
    with transaction() as session:
        subscriber = get_subscriber(subscriber_id)
        _record(Action.SUBSCRIBER_DELETED, subscriber, {"types": subscriber.types})
        forget_secrets(session, subscriber)
        session.delete(subscriber)


def request_test(subscriber_id: int) -> Errand:
    """Have a worker send a test event, beside the line of the others. Raises TooManyWaiting."""
    subscriber = get_subscriber(subscriber_id)
    title = f"Send a test event to {subscriber.host}"
    with transaction() as session:
        wanted = {"subscriber_id": subscriber_id}
        errand = add_errand(session, ErrandKind.TEST_SUBSCRIBER, title, wanted)
        _record(Action.SUBSCRIBER_TESTED, get_subscriber(subscriber_id))
    enqueue_errand(errand)
    return errand


def send_test(subscriber_id: int, message_id: str) -> SendOutcome:
    """A test event; when it has to be sent again, under the same id."""
    subscriber = get_subscriber(subscriber_id)
    url, secret = get_address(subscriber), find_secret(subscriber, SIGNING_SECRET) or ""
    release()
    message = Message(
        id=message_id,
        type=TEST_TYPE,
        occurred_at=utc_now(),
        data={"subscriber_id": subscriber_id},
    )
    return send(get_gateway(), url, secret, message)


def get_address(subscriber: EventSubscriber) -> str:
    """Where it is called: for a call alone, never to be shown. Raises SecretUnreadable."""
    address = find_secret(subscriber, ADDRESS)
    assert address is not None
    return address


def _has_address(subscriber: EventSubscriber, url: str) -> bool:
    """One that cannot be read any more is nobody's."""
    with suppress(SecretUnreadable):
        return get_address(subscriber) == url
    return False


def clean_url(text: str) -> str:
    """The address as it will be called. Raises InvalidInput.

    Where it leads is checked by `portal.egress` at each call: names change their addresses.
    """
    url = text.strip()
    parts = _split(url)
    if not url or parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(
            "Enter a complete address, such as https://example.com/hook.", field="url"
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(
            "Leave out the username and password. The receiver can check the signature instead.",
            field="url",
        )
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput(
            f"Use at most {LONGEST_URL} plain characters, without spaces.", field="url"
        )
    return parts._replace(fragment="").geturl()


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises when it is no number
    except ValueError:
        return None
    return parts


def _clean_types(types: Iterable[str]) -> list[str]:
    chosen = sorted(set(types))
    if any(kind not in list(EventType) for kind in chosen):
        raise InvalidInput("Choose only event types from the list.", field="types")
    return [] if set(chosen) == set(ORDINARY) else chosen


def is_wanted(types: Collection[str]) -> ColumnElement[bool]:
    """Of events: those that a subscriber to these types gets."""
    return Event.type.in_(types) if types else Event.type != EventType.AUDIT_RECORDED


def _record(
    action: Action,
    subscriber: EventSubscriber,
    before: Values | None = None,
    after: Values | None = None,
) -> None:
    record(action, Target("subscriber", subscriber.id, subscriber.host), before, after)


def _forget_failures(subscriber: EventSubscriber) -> None:
    subscriber.failures, subscriber.failing_since = 0, None
    subscriber.last_error, subscriber.lease, subscriber.due_at = None, None, None


def _count_waiting(subscriber: EventSubscriber) -> int:
    query = select(func.count()).select_from(Event).where(Event.id > subscriber.last_event_id)
    return db.session.scalar(query.where(is_wanted(subscriber.types))) or 0
