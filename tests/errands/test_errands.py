"""What somebody asked of another server: done once, by whoever is alive, and told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.lease import LEASE_TIME
from portal.models import AuditEntry, Errand
from portal.models.alerts.alert import AlertStatus
from portal.models.audit.entry import ActorKind
from portal.models.errands.errand import ErrandKind
from portal.scope import tenant_scope
from portal.services import leases, tick
from portal.services.accounts.asker import NOT_ANY_MORE
from portal.services.accounts.tenants import add_tenant
from portal.services.accounts.users import add_user
from portal.services.alerts import actions, portions
from portal.services.alerts.results import ActionResult, AlertAction
from portal.services.alerts.sleeping import take_back_snoozing_days
from portal.services.audit.actor import Actor, acting_as
from portal.services.errands import execution, requests, stopping
from portal.services.errands.requests import MOST_UNFINISHED, TooManyWaiting, get_errand
from portal.services.events import subscribers
from portal.services.integrations import connect
from portal.services.undo.offers import VALID_FOR, claim_offer
from tests.alerts.conftest import Msp, msp
from tests.events.receiver import Receiver, receiving

pytestmark = pytest.mark.mainly("postgresql")

__all__ = ["msp"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def subscriber(app: Flask, receiver: Receiver) -> Iterator[int]:
    """Of the tenant whose scope the test is in."""
    with app.app_context():
        tenant_id = add_tenant("Acme MSP", "acme").id
    with app.app_context(), tenant_scope(tenant_id):
        added, receiver.secret = subscribers.add_subscriber(receiver.url)
        yield added.id


def ask(number: int = 1) -> Errand:
    return requests.request_errand(ErrandKind.TEST_SUBSCRIBER, "Ask", {"subscriber_id": number})


def die_over(errand_id: int) -> None:
    """As a worker that is killed at work: it took the errand, and is silent from then on."""
    assert leases.claim(Errand, errand_id)
    with transaction() as session:
        errand = session.get_one(Errand, errand_id)
        errand.heartbeat_at = utc_now() - LEASE_TIME - timedelta(seconds=1)


def jobs_of_a_tick(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    jobs: list[tuple[object, ...]] = []

    def note(*job: object) -> bool:
        jobs.append(job)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(queue, "enqueue", note)
        tick.tick()
    return [job for job in jobs if job[0] == "do_errand"]


def test_a_test_event_is_sent_by_a_worker(subscriber: int, receiver: Receiver) -> None:
    asked = subscribers.request_test(subscriber)
    assert (asked.ok, receiver.types) == (None, [])
    execution.run_queued(asked.id)
    execution.run_queued(asked.id)
    done = get_errand(asked.id)
    assert (done.ok, done.message) == (True, "The receiver accepted the test event.")
    assert receiver.types == ["rmm.test"]
    assert re.fullmatch(r"Send a test event to 127\.0\.0\.1:\d+", done.title)


def test_what_is_asked_for_twice_is_done_once(subscriber: int, receiver: Receiver) -> None:
    first, again = (subscribers.request_test(subscriber).id for _ in range(2))
    assert first == again
    execution.run_queued(first)
    assert subscribers.request_test(subscriber).id != first


def test_a_tenant_has_so_many_waiting_and_no_more(app: Flask, subscriber: int) -> None:
    for number in range(MOST_UNFINISHED):
        ask(number)
    with pytest.raises(TooManyWaiting, match="Wait until some of them are done"):
        ask(99)
    with app.app_context():
        other = add_tenant("Other MSP", "other").id
    with app.app_context(), tenant_scope(other):
        assert ask().ok is None


def test_a_lost_job_is_enqueued_again_by_the_tick(
    subscriber: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(queue, "enqueue", lambda *_: False)  # Redis is away
        errand = subscribers.request_test(subscriber)
    with time_machine.travel(utc_now() + timedelta(seconds=6)):
        assert jobs_of_a_tick(monkeypatch) == [("do_errand", errand.tenant_id, errand.id)]


def test_another_worker_goes_on_under_the_same_id(
    subscriber: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    errand = subscribers.request_test(subscriber)
    errand_id = errand.id
    die_over(errand_id)
    jobs_of_a_tick(monkeypatch)
    execution.run_queued(errand_id)
    assert get_errand(errand_id).ok
    assert receiver.attempts == [f"test_{errand_id}"]


def test_what_kills_its_workers_is_ended_in_words(
    subscriber: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    errand_id = subscribers.request_test(subscriber).id
    for _ in range(leases.MOST_ATTEMPTS):
        die_over(errand_id)
        jobs_of_a_tick(monkeypatch)
    errand = get_errand(errand_id)
    assert (errand.ok, errand.fault) == (False, "interrupted")
    assert "was interrupted" in (errand.message or "")


def test_old_ones_go(subscriber: int) -> None:
    with transaction() as session:
        kind = ErrandKind.TEST_SUBSCRIBER
        session.add_all(Errand(kind=kind, title="Old", wanted={}, ok=True) for _ in range(150))
    newest = ask()
    assert [each.id for each in requests.list_errands(range(newest.id - 99))] == []
    assert len(requests.list_errands(range(newest.id + 1))) == requests.KEPT_ERRANDS


@pytest.mark.parametrize("is_told", [False, True])
def test_alerts_are_not_resolved_a_second_time(msp: Msp, is_told: bool) -> None:
    """The worker died when Tactical was told; before or after the portal kept what it said."""
    pks = msp.raise_alerts(2)
    with msp.scope():
        errand_id = actions.request_action(AlertAction.RESOLVE, msp.ids_of(pks)).id
        msp.tactical.control.alerts.resolve(pks[0])
    if is_told:
        msp.sync()
    before = msp.truth(pks[0])["resolved_on"]
    with msp.scope():
        leases.claim(Errand, errand_id)
        with transaction() as session:
            session.get_one(Errand, errand_id).lease = None
        execution.run_queued(errand_id)
        assert get_errand(errand_id).message == "2 resolved."
    assert msp.truth(pks[0])["resolved_on"] == before
    assert [msp.alert(pk).status for pk in pks] == [AlertStatus.RESOLVED] * 2


@pytest.fixture
def many(msp: Msp, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Five alerts of Tactical's, done two at a time."""
    monkeypatch.setattr(portions, "PORTION", 2)
    return msp.raise_alerts(5)


def bulk_calls(msp: Msp) -> int:
    return len(msp.tactical.control.log.entries("/alerts/bulk/"))


def test_many_alerts_are_done_some_at_a_time(
    msp: Msp, many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each portion is a job of its own; a worker that dies over one costs nothing."""
    jobs: list[object] = []
    monkeypatch.setattr(queue, "enqueue", lambda *job: jobs.append(job))
    with msp.scope():
        errand_id = actions.request_action(AlertAction.RESOLVE, msp.ids_of(many)).id
        execution.run_queued(errand_id)
        errand = get_errand(errand_id)
        assert (errand.ok, errand.result["reached"], errand.result["total"]) == (None, 2, 5)
    assert jobs == [("do_errand", msp.id, errand_id)] * 2
    assert [msp.truth(pk)["resolved"] for pk in many] == [True, True, False, False, False]
    with msp.scope():
        for _ in range(leases.MOST_ATTEMPTS - 1):
            die_over(errand_id)
            requests.free_lost_errands()
        execution.run_queued(errand_id)
        assert get_errand(errand_id).fencing_number == 0
        with time_machine.travel(utc_now() + requests.LOST_AFTER / 2):
            requests.free_lost_errands()
            execution.run_queued(errand_id)
        errand = get_errand(errand_id)
    assert (errand.ok, errand.message) == (True, "5 resolved.")
    assert sorted(errand.result["done"]) == sorted(msp.ids_of(many))
    assert bulk_calls(msp) == 2  # the fifth by a call of its own


@pytest.mark.one_database
@pytest.mark.parametrize("breaks", ["server", "connection"])
def test_what_no_further_alert_would_survive_ends_it_in_words(
    msp: Msp, many: list[int], breaks: str
) -> None:
    with msp.scope():
        errand_id = actions.request_action(AlertAction.RESOLVE, msp.ids_of(many)).id
        execution.run_queued(errand_id)
    if breaks == "server":
        msp.tactical.control.faults.add("status", "/alerts/bulk/", status=502)
    with msp.scope():
        if breaks == "connection":
            connect.disconnect()
        execution.run_queued(errand_id)
        execution.run_queued(errand_id)
        errand = get_errand(errand_id)
    failed = ", 2 failed. The last one was" if breaks == "server" else ". The other 3 were"
    assert errand.ok is False
    assert (errand.message or "").startswith(f"2 resolved{failed} not tried: ")
    assert len(errand.result["done"]) == 2
    assert [msp.truth(pk)["resolved"] for pk in many] == [True, True, False, False, False]


@pytest.mark.one_database
def test_one_that_is_over_before_its_turn_is_none_that_failed(msp: Msp, many: list[int]) -> None:
    """One is resolved, as a sync says meanwhile; one is gone, as Tactical says when it is asked."""
    with msp.scope():
        errand_id = actions.request_action(AlertAction.RESOLVE, msp.ids_of(many)).id
        execution.run_queued(errand_id)
    msp.tactical.control.alerts.resolve(many[2])
    msp.sync()
    msp.tactical.control.alerts.remove(many[3])
    resolved = msp.truth(many[2])["resolved_on"]
    with msp.scope():
        execution.run_queued(errand_id)
        assert get_errand(errand_id).result["summary"] == "2 resolved, 2 over already"
        execution.run_queued(errand_id)
        errand = get_errand(errand_id)
    assert (errand.ok, errand.message) == (True, "3 resolved, 2 over already.")
    assert msp.truth(many[2])["resolved_on"] == resolved


def stop(errand_id: int) -> None:
    with acting_as(Actor(ActorKind.USER, "bob@acme.example", None)):
        stopping.stop_errand(errand_id)


def test_it_is_stopped_between_two_portions_and_undone(msp: Msp, many: list[int]) -> None:
    with msp.app.app_context():
        user_id = add_user("anna@acme.example", "correct horse battery", "acme", "admin").id
    with msp.scope():
        with acting_as(Actor(ActorKind.USER, "anna@acme.example", user_id)):
            errand_id = actions.request_action(AlertAction.SNOOZE, msp.ids_of(many), 3).id
        execution.run_queued(errand_id)
        with time_machine.travel(utc_now() + VALID_FOR * 2):
            stop(errand_id)
            execution.run_queued(errand_id)  # the job that waited for the next portion
            offer = claim_offer(get_errand(errand_id).wanted["undo"], user_id)
        with pytest.raises(Refused, match="ended already"):
            stop(errand_id)
        [woken] = take_back_snoozing_days(**offer.change)
        assert woken.title == "Unsnooze 2 alerts"
        row = db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()[-2]
        errand = get_errand(errand_id)
        told = (errand.ok, errand.fault, errand.stopped_by, errand.message)
    words = "Stopped after 2 of 5: 2 snoozed. The others are as they were."
    assert told == (False, "stopped", "bob@acme.example", words)
    assert [msp.truth(pk)["snoozed"] for pk in many] == [True, True, False, False, False]
    assert (row.action, row.actor_name) == ("request.stopped", "bob@acme.example")
    assert row.after == {"reached": 2, "total": 5}


@pytest.mark.parametrize("killed", [False, True])
def test_the_wish_to_stop_is_heard_after_the_portion_that_is_under_way(
    msp: Msp, many: list[int], monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """Also by whoever goes on after a worker that was killed."""
    with msp.scope():
        errand_id = actions.request_action(AlertAction.RESOLVE, msp.ids_of(many)).id
        if killed:
            msp.tactical.control.alerts.resolve(many[0])
            die_over(errand_id)
            stop(errand_id)
            assert get_errand(errand_id).ok is None
            requests.free_lost_errands()
        else:
            act = actions.act

            def stop_and_act(*args: Any, **more: Any) -> ActionResult:
                stop(errand_id)
                return act(*args, **more)

            monkeypatch.setattr(portions, "act", stop_and_act)
        execution.run_queued(errand_id)
        execution.run_queued(errand_id)
        errand = get_errand(errand_id)
    assert errand.message == "Stopped after 2 of 5: 2 resolved. The others are as they were."
    assert [msp.truth(pk)["resolved"] for pk in many] == [True, True, False, False, False]


@pytest.mark.one_database
def test_what_waits_ends_at_once_and_what_is_short_or_stopping_is_told_so(
    msp: Msp, many: list[int]
) -> None:
    ids = msp.ids_of(many)
    with msp.scope():
        waits = actions.request_action(AlertAction.RESOLVE, ids).id
        stop(waits)
        assert get_errand(waits).message == "Stopped before anything was done."
        begun = actions.request_action(AlertAction.SNOOZE, ids, 3).id
        leases.claim(Errand, begun)
        stop(begun)
        with pytest.raises(Refused, match="being stopped already"):
            stop(begun)
        short = actions.request_action(AlertAction.RESOLVE, ids[:2]).id
        with pytest.raises(Refused, match="cannot be stopped"):
            stop(short)
    assert bulk_calls(msp) == 0


@pytest.mark.one_database
def test_one_that_tactical_lost_costs_itself_alone(msp: Msp, many: list[int]) -> None:
    """Tactical has no bulk call that wakes alerts."""
    ids = msp.ids_of(many)
    with msp.scope():
        execution.run_queued(actions.request_action(AlertAction.SNOOZE, ids[:2], 3).id)
    msp.tactical.control.alerts.remove(many[0])
    with msp.scope():
        errand_id = actions.request_action(AlertAction.UNSNOOZE, ids[:2]).id
        execution.run_queued(errand_id)
        assert get_errand(errand_id).message == "1 active again, 1 over already."
    assert not msp.truth(many[1])["snoozed"]


@pytest.mark.one_database
def test_it_can_be_undone_from_when_it_is_done(msp: Msp, many: list[int]) -> None:
    """Each press makes an offer of its own, and is the same request nevertheless."""
    ids = msp.ids_of(many)
    with msp.app.app_context():
        user_id = add_user("anna@acme.example", "correct horse battery", "acme", "admin").id
    with msp.scope():
        with acting_as(Actor(ActorKind.USER, "anna@acme.example", user_id)):
            first, again = (actions.request_action(AlertAction.SNOOZE, ids, 3) for _ in range(2))
        assert first.id == again.id
        offer_id = first.wanted["undo"]
        with time_machine.travel(utc_now() + VALID_FOR * 2):
            for _ in range(3):
                execution.run_queued(first.id)
            assert get_errand(first.id).message == "5 snoozed."
            assert claim_offer(offer_id, user_id).id == offer_id


@pytest.mark.one_database
def test_nothing_is_asked_of_tactical_for_who_has_no_place_any_more(
    msp: Msp, many: list[int]
) -> None:
    gone = Actor(ActorKind.USER, "gone@acme.example", 4711)
    with msp.scope(), acting_as(gone):
        errand_id = actions.request_action(AlertAction.RESOLVE, msp.ids_of(many)).id
    with msp.scope():
        execution.run_queued(errand_id)
        errand = get_errand(errand_id)
    assert (errand.ok, errand.message) == (False, NOT_ANY_MORE)
    assert bulk_calls(msp) == 0
