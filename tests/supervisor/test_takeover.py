"""Every worker is killed while it holds something: within the time that is promised it goes on."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import ConnectionTest, Delivery, EventSubscriber, SyncRun
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.events.event import EventType
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.events import subscribers
from portal.services.integrations import testing
from portal.services.runs import requests as sync_runs
from portal.services.webhook.keys import reveal
from tests.events.receiver import Receiver, receiving
from tests.support.running import RunningPortal, descendants, parent_of
from tests.support.webhooks import Msp

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.fleet(clients=2, sites=4, agents=12, frozen=False),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

PROMISED = timedelta(seconds=20)
"""From the death to the moment at which another process begins anew."""
PATIENCE = 60
"""Seconds, on a machine that does other things beside this."""
LONG = 30
"""Seconds for which the far sides keep everybody waiting."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_whatever_a_killed_worker_held_goes_on(
    msp: Msp, portal: RunningPortal, receiver: Receiver
) -> None:
    held = Held(msp, receiver)
    held.start()
    killed_at = utc_now()
    kill_workers(portal)
    held.let_go()
    wait(lambda: all(held.ends()), PATIENCE)
    went_on = {what: at - killed_at for what, at in held.went_on().items()}
    assert max(went_on.values()) < PROMISED, went_on


class Held:
    """One piece of work of each kind, and a far side that keeps it waiting."""

    def __init__(self, msp: Msp, receiver: Receiver) -> None:
        self._msp, self._receiver = msp, receiver
        self._is_kept = True
        take = receiver.take

        def take_long(body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
            give_up = time.monotonic() + LONG
            while self._is_kept and time.monotonic() < give_up:
                time.sleep(0.02)
            return take(body, headers)

        receiver.take = take_long  # type: ignore[method-assign]

    def start(self) -> None:
        """Returns when a worker has each of them in its hands."""
        with self._msp.scope():
            _, self._receiver.secret = subscribers.add_subscriber(
                self._receiver.url, [EventType.WEBHOOK_RECEIVED]
            )
        self._msp.tactical.control.faults.add("slow", seconds=LONG, times=None)
        with self._msp.scope():
            for kind in (SyncKind.DEVICES, SyncKind.ALERTS):
                sync_runs.request_run(kind, "button")
        wait(lambda: len(self._leases(SyncRun)) == 2)
        self._tell()
        wait(lambda: self._leases(Delivery) != [] and self._leases(EventSubscriber) != [])
        with self._msp.scope():
            testing.request_test()
        wait(lambda: self._leases(ConnectionTest) != [])
        tables = (SyncRun, Delivery, EventSubscriber, ConnectionTest)
        assert [len(self._leases(table)) for table in tables] == [2, 1, 1, 1]

    def let_go(self) -> None:
        self._is_kept = False
        self._msp.tactical.control.faults.clear()

    def ends(self) -> list[bool]:
        runs, delivery, subscriber, test = self._rows()
        return [
            *(run.status is RunStatus.SUCCESS and run.fencing_number == 2 for run in runs),
            delivery.status is DeliveryStatus.PROCESSED and delivery.attempts == 2,
            subscriber.delivered_at is not None,
            bool(test.ok) and test.fencing_number == 2,
        ]

    def went_on(self) -> dict[str, datetime]:
        """When, by what the database says."""
        runs, delivery, subscriber, test = self._rows()
        return {
            **{str(run.kind): run.started_at for run in runs},
            "delivery": delivery.processed_at,
            "subscriber": subscriber.delivered_at,
            "test": test.started_at,
        }

    def _tell(self) -> None:
        """A webhook's call, which is an event too."""
        agent = self._msp.tactical.control.agents.ids()[0]
        pk = self._msp.tactical.control.alerts.trigger(agent, "check")
        with self._msp.scope():
            secret = reveal()
        answer = requests.post(
            f"{self._msp.portal}/api/webhooks/tacticalrmm?tenant={self._msp.slug}",
            json={"agent_id": agent, "event": "trigger", "alert_id": str(pk)},
            headers={"X-Alga-Webhook-Secret": secret},
            timeout=30,
        )
        assert answer.status_code == 202

    def _rows(self) -> tuple[list[Any], Any, Any, Any]:
        """The two runs; of the others, the one that was held."""
        with self._msp.scope():
            runs = db.session.scalars(select(SyncRun).order_by(SyncRun.id.desc())).all()
            own = [run for run in runs if run.trigger == "button"]
            newest = select(ConnectionTest).order_by(ConnectionTest.id.desc()).limit(1)
            return (
                own,
                db.session.scalars(select(Delivery)).one(),
                db.session.scalars(select(EventSubscriber)).one(),
                db.session.scalars(newest).one(),
            )

    def _leases(self, table: Any) -> list[str]:
        with self._msp.scope():
            return list(db.session.scalars(select(table.lease).where(table.lease.is_not(None))))


def kill_workers(portal: RunningPortal) -> None:
    """Those that have a job, a child of their own, at once; their jobs die with them."""
    everyone = descendants(portal.process.pid)
    children = Counter(parent_of(pid) for pid in everyone)
    workers = [pid for pid in everyone if children[pid] == 1]  # the web server has two
    assert len(workers) == 5
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)
