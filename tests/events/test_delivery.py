"""Events reach subscribers signed, in order, each at its own pace, until they have them all."""

from __future__ import annotations

import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest
import time_machine
from flask import Flask
from standardwebhooks import Webhook, WebhookVerificationError

from portal import queue
from portal.db import db
from portal.egress import read_retry_after
from portal.events import delivery
from portal.events.delivery import Message, SendOutcome
from portal.lease import LEASE_TIME, beating
from portal.models.events.event import EventType
from portal.scope import all_tenants, tenant_scope
from portal.services import tick
from portal.services.accounts.tenants import add_tenant
from portal.services.application import get_app
from portal.services.events import activity, subscribers
from portal.services.events import delivery as event_delivery
from portal.services.events.delivery import deliver_events, list_subscribers_behind, pause_after
from tests.events.conftest import events, get, happen, subscribe
from tests.events.receiver import Receiver, receiving
from tests.web.world import Place

pytestmark = pytest.mark.mainly("postgresql")

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_receiver_gets_each_event_once_in_order_and_can_check_it(
    subscribed: int, receiver: Receiver
) -> None:
    happen("one", "Zwei ü", "three")

    assert deliver_events(subscribed) == 3

    assert receiver.mistakes == []
    assert [message["data"]["name"] for message in receiver.received] == ["one", "Zwei ü", "three"]
    first, event = receiver.received[0], events()[0]
    assert set(first) == {"type", "timestamp", "data"}
    assert first["type"] == "rmm.device.created"
    assert datetime.fromisoformat(first["timestamp"]) == event.occurred_at
    assert receiver.ids == [f"evt_{event.id}" for event in events()]
    assert deliver_events(subscribed) == 0
    assert len(receiver.attempts) == 3


def test_a_changed_body_or_another_secret_does_not_pass(
    subscribed: int, receiver: Receiver
) -> None:
    message = Message("evt_1", "rmm.test", START, {"a": 1})
    signature = Webhook(receiver.secret).sign("evt_1", datetime.now(UTC), message.to_json())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(time.time())),
        "webhook-signature": signature,
    }
    assert Webhook(receiver.secret).verify(message.to_json(), headers)["data"] == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(receiver.secret).verify(message.to_json().replace("1", "2"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(delivery.make_secret()).verify(message.to_json(), headers)


def test_a_subscriber_is_told_of_what_it_wants_from_then_on(
    scope: Place, receiver: Receiver
) -> None:
    happen("before", kind=EventType.ALERT_TRIGGERED)
    subscriber_id = subscribe(receiver, "rmm.alert.triggered", "rmm.alert.resolved")
    happen("unwanted")
    happen("down", kind=EventType.ALERT_TRIGGERED)
    happen("unwanted too")

    deliver_events(subscriber_id)

    assert [message["data"]["name"] for message in receiver.received] == ["down"]
    assert get(subscriber_id).last_event_id == events()[-1].id
    assert list_behind() == []


@pytest.mark.one_database
def test_a_failure_is_tried_again_later_and_nothing_overtakes_it(
    subscribed: int, receiver: Receiver
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        happen("one", "two")
        receiver.plan = [(500, {}), (302, {"Location": "/elsewhere"})]
        deliver_events(subscribed)
        failed = get(subscribed)
        assert (failed.failures, failed.failing_since) == (1, START)
        assert failed.last_error == "The receiver answered 500 instead of 2xx."
        assert failed.due_at is not None
        assert timedelta(seconds=4) <= failed.due_at - START <= timedelta(seconds=6)

        assert deliver_events(subscribed) == 0  # not due: nothing is sent
        assert len(receiver.attempts) == 1

        clock.move_to(failed.due_at)
        deliver_events(subscribed)
        assert get(subscribed).failures == 2
        assert "Redirects are not followed" in (get(subscribed).last_error or "")

        clock.shift(60)
        assert deliver_events(subscribed) == 2
    mended = get(subscribed)
    assert (mended.failures, mended.last_error, mended.failing_since) == (0, None, None)
    assert mended.due_at is None
    assert [message["data"]["name"] for message in receiver.received] == ["one", "two"]
    assert len(set(receiver.attempts)) == 2  # the retries carried the same id


def test_pauses_grow_to_an_hour_and_the_receiver_may_ask_for_more() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in range(1, 90)]
    assert 4 <= pauses[0] <= 6
    assert 16 <= pauses[2] <= 24
    assert all(2880 <= pause <= 4320 for pause in pauses[10:])
    assert pause_after(1, retry_after=1800) == timedelta(minutes=30)
    assert pause_after(1, retry_after=1) >= timedelta(seconds=4)
    assert pause_after(1, retry_after=1e9) == timedelta(days=1)


@time_machine.travel(START, tick=False)
def test_retry_after_is_seconds_or_a_date() -> None:
    assert read_retry_after("120") == 120
    assert read_retry_after(format_datetime(START + timedelta(minutes=5), usegmt=True)) == 300
    assert read_retry_after(format_datetime(START - timedelta(minutes=5), usegmt=True)) == 0
    assert read_retry_after("soon") is None
    assert read_retry_after("") is None


def test_retry_after_is_honoured(subscribed: int, receiver: Receiver) -> None:
    with time_machine.travel(START, tick=False):
        happen("one")
        receiver.plan = [(429, {"Retry-After": "900"})]
        deliver_events(subscribed)
    due_at = get(subscribed).due_at
    assert due_at is not None
    assert abs((due_at - START).total_seconds() - 900) <= 1


def test_410_ends_it_at_once(
    subscribed: int, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    happen("one", "two")
    receiver.plan = [(410, {})]
    with caplog.at_level(logging.WARNING):
        deliver_events(subscribed)
    gone = get(subscribed)
    assert not gone.active
    assert "410" in (gone.last_error or "")
    assert "was stopped" in caplog.text
    assert list_behind() == []


@pytest.mark.one_database
def test_after_three_days_of_failures_it_is_given_up_and_resumes_where_it_was(
    subscribed: int, receiver: Receiver
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        happen("one")
        receiver.plan = [(503, {})] * 200
        attempts = 0
        while (due_at := get(subscribed).due_at) or attempts == 0:
            clock.move_to(due_at or START)
            deliver_events(subscribed)
            attempts += 1
        stopped = get(subscribed)
        length = datetime.now(UTC) - START
        assert not stopped.active
        assert timedelta(days=3) <= length <= timedelta(days=3, hours=2)
        assert 60 <= attempts <= 110
        assert subscribers.list_subscribers()[0].state == "stopped"

        receiver.plan = []
        subscribers.resume_subscriber(subscribed)
        assert deliver_events(subscribed) == 1
    assert receiver.types == ["rmm.device.created"]


def test_days_in_which_the_portal_was_off_do_not_count(subscribed: int, receiver: Receiver) -> None:
    with time_machine.travel(START, tick=False) as clock:
        happen("one")
        receiver.plan = [(503, {}), (503, {})]
        deliver_events(subscribed)
        clock.shift(timedelta(days=5))
        deliver_events(subscribed)
    assert get(subscribed).active


def test_a_dead_subscriber_blocks_no_other(scope: Place, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    dead, _ = subscribers.add_subscriber(f"http://127.0.0.1:{port}/")
    alive = subscribe(receiver)
    happen("one", "two")

    assert list_behind() == [dead.id, alive]
    assert deliver_events(dead.id) == 0
    assert deliver_events(alive) == 2
    assert "cannot connect to" in (get(dead.id).last_error or "")
    assert list_behind() == []  # the dead one is not due


def test_a_slow_subscriber_gives_way_after_its_turn(
    app: Flask, subscribed: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueued: list[tuple[object, ...]] = []
    monkeypatch.setattr(queue, "enqueue", lambda *args: enqueued.append(args))
    monkeypatch.setattr(event_delivery, "TURN_SECONDS", -1.0)
    happen("one")
    assert deliver_events(subscribed) == 0
    assert [args[0] for args in enqueued] == ["deliver_events"]
    monkeypatch.undo()
    assert deliver_events(subscribed) == 1  # free at once, for the next turn


def test_no_other_work_waits_behind_a_subscriber() -> None:
    """Whoever answers slowly holds a worker that serves nothing but subscribers."""
    beside = {name for name, job in queue.JOBS.items() if job.queue == queue.EVENTS}
    assert beside == {"deliver_events"}


def test_a_claimed_subscriber_is_left_to_its_process(subscribed: int, receiver: Receiver) -> None:
    happen("one")
    assert event_delivery._claim(subscribed)
    assert deliver_events(subscribed) == 0
    assert receiver.attempts == []
    with time_machine.travel(datetime.now(UTC) + LEASE_TIME, tick=True):
        assert list_behind() == [subscribed]  # that process died


def test_a_process_that_comes_back_too_late_sends_and_changes_nothing(
    subscribed: int, receiver: Receiver
) -> None:
    happen("one", "two")
    lease = event_delivery._claim(subscribed)
    assert lease
    stale = event_delivery._begin_turn(subscribed, lease)
    assert stale
    with time_machine.travel(datetime.now(UTC) + LEASE_TIME):
        taken = event_delivery._claim(subscribed)
        assert taken
        before = vars(get(subscribed)) | {"_sa_instance_state": None}

        stale.moved_at -= LEASE_TIME.total_seconds()  # stopped before it sent
        assert not event_delivery._send_one(stale, events()[0])  # type: ignore[arg-type]
        assert receiver.attempts == []
        stale.moved_at = time.monotonic()  # stopped while it sent
        assert not event_delivery._send_one(stale, events()[0])  # type: ignore[arg-type]
        event_delivery._note_failure(stale, SendOutcome(problem="It did not answer."))
        event_delivery._free(subscribed, lease)
        assert vars(get(subscribed)) | {"_sa_instance_state": None} == before
        event_delivery._free(subscribed, taken)
        assert deliver_events(subscribed) == 2


def test_a_process_that_waits_for_a_slow_receiver_keeps_its_subscriber(
    subscribed: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_delivery, "beating", partial(beating, every=0.02))
    happen("one")
    take, app, tenant_id = receiver.take, get_app(), get(subscribed).tenant_id
    seen: set[datetime | None] = set()

    def take_long(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        give_up = time.monotonic() + 8
        while len(seen) < 4 and time.monotonic() < give_up:
            with app.app_context(), tenant_scope(tenant_id):
                seen.add(get(subscribed).due_at)
        return take(body, headers)

    receiver.take = take_long  # type: ignore[method-assign]
    assert deliver_events(subscribed) == 1
    assert len(seen) == 4
    assert (get(subscribed).lease, get(subscribed).due_at) == (None, None)


def test_who_was_paused_meanwhile_is_told_again(subscribed: int, receiver: Receiver) -> None:
    happen("one", "two")
    receiver_take = receiver.take

    def pause_and_take(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        with app.app_context(), tenant_scope(tenant_id):
            subscribers.pause_subscriber(subscribed)
        return receiver_take(body, headers)

    app, tenant_id = get_app(), get(subscribed).tenant_id
    receiver.take = pause_and_take  # type: ignore[method-assign]
    deliver_events(subscribed)
    receiver.take = receiver_take  # type: ignore[method-assign]
    assert len(receiver.received) == 1
    assert not get(subscribed).active

    subscribers.resume_subscriber(subscribed)
    deliver_events(subscribed)
    assert [message["data"]["name"] for message in receiver.received] == ["one", "one", "two"]
    assert receiver.ids[0] == receiver.ids[1]


def test_a_private_address_is_refused_at_the_call(scope: Place) -> None:
    subscriber, _ = subscribers.add_subscriber("https://10.1.2.3/hook")
    happen("one")
    deliver_events(subscriber.id)
    assert "private or reserved network" in (get(subscriber.id).last_error or "")


@pytest.mark.one_database
def test_the_tick_asks_for_those_that_are_behind(
    subscribed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueued: list[tuple[object, ...]] = []

    def enqueue(*args: object) -> bool:
        enqueued.append(args)
        return True

    monkeypatch.setattr(queue, "enqueue", enqueue)
    deliver_events(subscribed)  # past what adding it was recorded as
    tick.tick()
    assert [args for args in enqueued if args[0] == "deliver_events"] == []
    happen("one")
    tenant_id = get(subscribed).tenant_id
    tick.tick()
    told = [args for args in enqueued if args[0] == "deliver_events"]
    assert told == [("deliver_events", tenant_id, subscribed)]


def test_tenants_are_told_of_their_own_events_only(subscribed: int, receiver: Receiver) -> None:
    other = add_tenant("Other", "other").id
    with receiving() as others, tenant_scope(other):
        others_id = subscribe(others)
        happen("theirs")
        assert deliver_events(subscribed) == 0  # not there for them
        assert deliver_events(others_id) == 1
    happen("ours")
    deliver_events(subscribed)
    assert [message["data"]["name"] for message in receiver.received] == ["ours"]
    assert [message["data"]["name"] for message in others.received] == ["theirs"]


def test_events_are_pruned_after_thirty_days_but_not_before_they_are_told(
    subscribed: int, receiver: Receiver
) -> None:
    with time_machine.travel(START, tick=False):
        happen("old", "older")
    with time_machine.travel(START + timedelta(days=31), tick=False):
        happen("new")
        assert activity.prune_events() == 0
        deliver_events(subscribed)
        assert activity.prune_events() == 2
        assert [event.subject for event in events()] == ["new"]
    with time_machine.travel(START + timedelta(days=70), tick=False):
        happen("last")
        subscribers.pause_subscriber(subscribed)
        assert activity.prune_events() == 1  # one that is paused keeps nothing back


def list_behind() -> list[int]:
    db.session.rollback()
    with all_tenants():
        return [subscriber_id for _tenant, subscriber_id in list_subscribers_behind()]
