"""The room that bodies take up: counted with them, and made anew from what is done with."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import Delivery
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services import tick as schedule
from portal.services.deliveries import replay
from portal.services.deliveries import storage as delivery_storage
from portal.services.deliveries.history import prune_deliveries
from portal.services.deliveries.storage import Storage, get_storage
from tests.deliveries.conftest import SENT, Intake, add_intake

MIB = 1024 * 1024
NONSENSE = b"x" * 64 * 1024
"""Settled as soon as it is stored: it needs review."""
PENDING = json.dumps(SENT | {"message": "x" * 66_000}).encode()


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)
    monkeypatch.setattr(queue, "enqueue_quickly", lambda *_job: True)


@pytest.fixture
def small(intake: Intake) -> Intake:
    """A mebibyte: sixteen bodies of the largest size."""
    settings = intake.app.extensions["settings"]
    intake.app.extensions["settings"] = replace(settings, webhook_storage=1)
    return intake


def tick(intake: Intake) -> None:
    with intake.app.app_context():
        schedule.tick()


def storage(intake: Intake) -> Storage:
    """As the pages show it, once compared with what is really stored."""
    with intake.scope():
        total = select(func.sum(Delivery.kept_bytes))
        sizes = sum(len(body.encode()) for body in db.session.scalars(select(Delivery.body)))
        assert db.session.scalar(total) == sizes == get_storage().used
        return get_storage()


def list_kept(intake: Intake) -> list[bool]:
    with intake.scope():
        rows = db.session.scalars(select(Delivery).order_by(Delivery.id))
        return [not row.is_body_dropped for row in rows]


def test_bodies_are_counted_as_they_are_stored(intake: Intake) -> None:
    for body in (b"", b"{}", "ü\0".encode(), b"\xff" * 10, NONSENSE * 2, PENDING):
        assert intake.post(body).status_code == 202
    assert storage(intake).used == 2 + 5 + 30 + 2 * 64 * 1024
    assert storage(intake).limit == 256 * MIB


def test_the_oldest_bodies_go_and_their_deliveries_stay(small: Intake) -> None:
    for _ in range(16):
        small.post(NONSENSE)
    tick(small)
    assert list_kept(small) == [True] * 16, "as much as it may be"
    small.post(NONSENSE)
    tick(small)
    assert list_kept(small) == [False] * 3 + [True] * 14
    assert storage(small) == Storage(14 * len(NONSENSE), MIB, must_wait=False)
    with small.scope():
        oldest = db.session.scalars(select(Delivery).order_by(Delivery.id)).first()
        assert oldest is not None
        assert (oldest.status, oldest.body_bytes) == (DeliveryStatus.NEEDS_REVIEW, len(NONSENSE))


def test_what_is_not_settled_is_never_dropped(small: Intake) -> None:
    for _ in range(18):
        small.post(PENDING)
    small.post(NONSENSE)
    tick(small)
    assert list_kept(small) == [True] * 18 + [False]
    assert storage(small) == Storage(18 * 64 * 1024, MIB, must_wait=True)
    with small.scope(), transaction() as session:
        settle = update(Delivery).where(Delivery.status == DeliveryStatus.PENDING)
        session.execute(settle.values(status=DeliveryStatus.PROCESSED))
    assert not storage(small).must_wait
    tick(small)
    assert list_kept(small) == [False] * 4 + [True] * 14 + [False]


def test_a_tenant_makes_room_for_itself_alone(small: Intake) -> None:
    other = add_intake(small.app, "other")
    other.post(NONSENSE)
    for _ in range(17):
        small.post(NONSENSE)
    tick(small)
    assert list_kept(small) == [False] * 3 + [True] * 14
    assert list_kept(other) == [True]
    assert storage(other).used == len(NONSENSE)


def test_a_part_at_a_time(small: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_storage, "ROWS_AT_ONCE", 2)
    for _ in range(20):
        small.post(NONSENSE)
    tick(small)
    assert list_kept(small) == [False] * 6 + [True] * 14


def test_what_is_deleted_for_its_age_counts_no_more(intake: Intake) -> None:
    with time_machine.travel(utc_now() - timedelta(days=31)):
        intake.get(intake.post(NONSENSE))
        waiting = intake.get(intake.post(PENDING))
    intake.post(b"{}")
    with intake.scope():
        assert prune_deliveries(waiting.integration_id) == 1
    assert storage(intake).used == 64 * 1024 + 2


def test_a_replay_tells_that_the_body_is_gone(small: Intake) -> None:
    kept = [small.get(small.post(NONSENSE)) for _ in range(17)]
    tick(small)
    with small.scope(), pytest.raises(Refused, match="which the portal had not been able to read"):
        replay.replay_now(kept[0].id)
    with small.scope(), pytest.raises(Refused, match="The call still cannot be used"):
        replay.replay_now(kept[-1].id)


def test_what_was_understood_is_replayed_without_its_body(small: Intake) -> None:
    kept = [small.get(small.post(PENDING)) for _ in range(17)]
    with small.scope(), transaction() as session:
        session.execute(update(Delivery).values(status=DeliveryStatus.FAILED))
    tick(small)
    with small.scope():
        again = replay.replay_soon(kept[0].id)
        assert (again.status, again.is_body_dropped) == (DeliveryStatus.PENDING, True)


def test_the_sum_holds_while_deliveries_come_and_go_at_once(
    small: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does anybody wait for one who waits for them."""
    monkeypatch.setattr(delivery_storage, "ROWS_AT_ONCE", 3)
    with time_machine.travel(utc_now() - timedelta(days=31)):
        old = [small.get(small.post(NONSENSE)) for _ in range(20)]

    def trim() -> None:
        with small.app.app_context():
            delivery_storage.trim_bodies()

    def prune() -> None:
        with small.scope():
            prune_deliveries(old[0].integration_id)

    def post() -> None:
        assert [small.post(NONSENSE).status_code for _ in range(10)] == [202] * 10

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(work) for work in (trim, post, prune, post, trim, post)]:
            done.result()
    trim()
    assert storage(small).used <= MIB
    assert small.count() == 30
