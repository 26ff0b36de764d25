"""A delivery belongs to one worker, for as long as that is alive."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import event, select

from portal import queue
from portal.clock import utc_now
from portal.db import db
from portal.errors import PORTAL_FAULT
from portal.lease import LEASE_TIME, beating
from portal.models import Alert, Delivery, Event
from portal.models.alerts.alert import AlertStatus
from portal.models.deliveries.delivery import DeliveryStatus
from portal.services.deliveries import claims, processing, writing
from portal.services.deliveries.claims import Claimed, claim_due
from portal.services.deliveries.lookups import Confirmed, Lookups
from portal.sync.alerts.write import write_alerts
from tests.alerts.conftest import Msp

pytestmark = pytest.mark.mainly("postgresql")

PENDING, PROCESSED = DeliveryStatus.PENDING, DeliveryStatus.PROCESSED


@pytest.fixture(autouse=True)
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "enqueue", lambda *_job: True)


def tell(msp: Msp, http: FlaskClient, pk: int, at: int = 0) -> int:
    return msp.deliver(http, agent_id=msp.agents[at], event="trigger", alert_id=str(pk))


def get(msp: Msp, delivery_id: int) -> Delivery:
    with msp.scope():
        return db.session.get_one(Delivery, delivery_id)


def everything(msp: Msp) -> dict[str, list[Any]]:
    """All rows that processing a delivery may write."""
    with msp.scope():
        return {
            table.__name__: [
                [getattr(row, column.name) for column in table.__table__.columns]
                for row in db.session.scalars(select(table).order_by(table.id))
            ]
            for table in (Alert, Delivery, Event)
        }


def ask(claimed: list[Claimed]) -> list[Confirmed]:
    return Lookups().confirm(claimed[0].integration_id, claimed)


def write_together(confirmed: list[Confirmed]) -> None:
    claimed = [each.claimed for each in confirmed]
    assert writing.write_together(claimed[0].integration_id, confirmed) == set(claimed)


def write_one_by_one(confirmed: list[Confirmed]) -> None:
    for each in confirmed:
        writing.write_alone(each)


def release(confirmed: list[Confirmed]) -> None:
    for each in confirmed:
        claims.release_claim(each.claimed)


WAYS = [write_together, write_one_by_one, release]


def test_what_a_dead_worker_had_claimed_is_due_when_its_lease_ends(
    msp: Msp, http: FlaskClient
) -> None:
    told = tell(msp, http, msp.raise_alert())
    with msp.scope():
        assert [each.id for each in claim_due()] == [told]
    msp.process()
    assert get(msp, told).status is PENDING
    with time_machine.travel(utc_now() + LEASE_TIME):
        msp.process()
    done = get(msp, told)
    assert (done.status, done.attempts, done.lease) == (PROCESSED, 2, None)


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_comes_back_too_late_changes_nothing(
    msp: Msp, http: FlaskClient, way: Callable[..., None]
) -> None:
    pk = msp.raise_alert()
    tell(msp, http, pk)
    with msp.scope():
        stale = claim_due()
        found = ask(stale)
    msp.tactical.control.alerts.resolve(pk)
    with time_machine.travel(utc_now() + LEASE_TIME):
        msp.process()
        assert msp.alert(pk).status is AlertStatus.RESOLVED
        before = everything(msp)
        with msp.scope():
            way(found)
    assert everything(msp) == before


@pytest.mark.parametrize("way", WAYS)
def test_nor_does_it_while_the_other_one_is_at_it(
    msp: Msp, http: FlaskClient, way: Callable[..., None]
) -> None:
    pk = msp.raise_alert()
    tell(msp, http, pk)
    with msp.scope():
        stale = claim_due()
        found = ask(stale)
    msp.tactical.control.alerts.resolve(pk)
    with time_machine.travel(utc_now() + LEASE_TIME):
        with msp.scope():
            [taken] = claim_due()
        before = everything(msp)
        with msp.scope():
            way(found)
        assert everything(msp) == before
        with msp.scope():
            write_together(ask([taken]))
    assert get(msp, taken.id).status is PROCESSED
    assert msp.alert(pk).status is AlertStatus.RESOLVED  # the later word counts


def test_a_worker_that_is_slow_keeps_what_it_claimed(
    msp: Msp, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "beating", partial(beating, every=0.02))
    told = tell(msp, http, msp.raise_alert())
    with msp.scope():
        claimed = claim_due()
        with claims.keep(claimed):
            for _ in range(3):
                wait_for_a_beat(msp, told)
            claims.release_claim(claimed[0])
    assert get(msp, told).due_at <= utc_now()  # type: ignore[operator]


def wait_for_a_beat(msp: Msp, delivery_id: int) -> None:
    before, give_up = get(msp, delivery_id).due_at, time.monotonic() + 20
    while get(msp, delivery_id).due_at == before:
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_one_that_breaks_the_others_transaction_costs_itself_alone(
    msp: Msp, http: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pks = [msp.raise_alert(at) for at in range(3)]
    told = [tell(msp, http, pk, at) for at, pk in enumerate(pks)]

    def break_at_one(session: Any, integration_id: int, alerts: Any, source: Any) -> Any:
        done = write_alerts(session, integration_id, alerts, source)
        if pks[1] in [alert.pk for alert in alerts]:
            raise RuntimeError("on purpose")
        return done

    monkeypatch.setattr(writing, "write_alerts", break_at_one)
    msp.process()
    assert [get(msp, each).status for each in told] == [PROCESSED, PENDING, PROCESSED]
    assert get(msp, told[1]).reason == PORTAL_FAULT
    monkeypatch.undo()
    with time_machine.travel(utc_now() + LEASE_TIME + claims.FIRST_PAUSE * 2), msp.scope():
        processing.process_due()
    assert get(msp, told[1]).status is PROCESSED


@pytest.mark.parametrize("write", [write_together, write_one_by_one])
def test_an_alert_that_was_just_written_is_not_looked_up_again(
    msp: Msp, http: FlaskClient, write: Callable[[list[Confirmed]], None]
) -> None:
    delivery_id = tell(msp, http, pk := msp.raise_alert())
    with msp.scope():
        confirmed, statements = ask(claim_due()), list[str]()
        note = partial(_note_statement, statements)
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            write(confirmed)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    of_alerts = "FROM rmm_alerts WHERE"
    reads = [each for each in statements if each.startswith("SELECT") and of_alerts in each]
    assert len(reads) == 1
    assert get(msp, delivery_id).alert_id == msp.alert(pk).id


def _note_statement(statements: list[str], _connection: Any, _cursor: Any, *rest: Any) -> None:
    statements.append(" ".join(rest[0].split()))


def test_deliveries_of_one_alert_say_once_what_it_became(msp: Msp, http: FlaskClient) -> None:
    pk = msp.raise_alert()
    told = [tell(msp, http, pk) for _ in range(2)]
    told.append(tell(msp, http, pk, at=1))
    msp.process()
    up_to_date = "The alert was already up to date."
    assert [get(msp, each).outcome for each in told] == [
        "The alert is active.",
        up_to_date,
        f"{up_to_date} The call named a different agent than Tactical's record.",
    ]
    assert {get(msp, each).alert_id for each in told} == {msp.alert(pk).id}
