"""Whose sweep comes first, when one worker has more of them than it can do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select, update

from portal import queue
from portal.clock import utc_now
from portal.config import Settings
from portal.db import db, transaction
from portal.lease import LEASE_TIME
from portal.models import Schedule
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import all_tenants, tenant_scope
from portal.services import tick
from portal.services.runs import execution, requests
from portal.sync.runs.log import RunLog
from tests.runs.world import add_msp, change
from tests.support.msp import Msp

Jobs = list[tuple[object, ...]]

TICK_SECONDS = 15
"""As long as a job takes."""
BEATS_OF_A_JOB = 3
MSPS = 6
"""Whose sweeps, one a minute each, are half again as much as one worker does."""


@dataclass
class SteadyWorker:
    """One worker of the real queue, in simulated time: each job takes it a quarter of a minute."""

    app: Flask
    clock: time_machine.Traveller
    line: Queue
    done: dict[SyncKind, Counter[int]] = field(
        default_factory=lambda: {SyncKind.STATUS: Counter(), SyncKind.ALERTS: Counter()}
    )
    order: list[tuple[SyncKind, int]] = field(default_factory=list)

    def run(self, minutes: float) -> None:
        """With a scheduler beside it."""
        job = None
        for _ in range(int(minutes * 60 / TICK_SECONDS)):
            with self.app.app_context():
                tick.tick()
            if job is not None:
                self._end(*job)
            job = self._begin()
            for _ in range(BEATS_OF_A_JOB):
                self.clock.shift(TICK_SECONDS / BEATS_OF_A_JOB)
                if job is not None:
                    self._beat(*job)

    def _begin(self) -> tuple[int, RunLog] | None:
        taken = Queue.dequeue_any(
            [self.line], None, self.line.connection, serializer=JSONSerializer
        )
        if taken is None:
            return None
        tenant_id, run_id = taken[0].args
        taken[0].delete()
        with self.app.app_context(), tenant_scope(tenant_id):
            run = execution._claim(run_id)
            assert run is not None
        self.done[run.kind][tenant_id] += 1
        self.order.append((run.kind, tenant_id))
        return tenant_id, RunLog(run_id, str(run.lease))

    def _beat(self, tenant_id: int, run_log: RunLog) -> None:
        with self.app.app_context(), tenant_scope(tenant_id):
            assert not run_log._is_over(beat=True)

    def _end(self, tenant_id: int, run_log: RunLog) -> None:
        with self.app.app_context(), tenant_scope(tenant_id):
            assert run_log.finish(RunStatus.SUCCESS)


@pytest.fixture
def worker(context: Flask, settings: Settings) -> Iterator[SteadyWorker]:
    steady = Queue(queue.STEADY, connection=queue.connect(settings), serializer=JSONSerializer)
    with time_machine.travel(utc_now(), tick=False) as clock:
        yield SteadyWorker(context, clock, steady)


@pytest.mark.one_database
def test_where_sweeps_are_late_each_tenant_gets_as_many(worker: SteadyWorker) -> None:
    tenants = [add_msp(n, status_sweep_minutes=1, alert_sync_minutes=2) for n in range(MSPS)]
    worker.run(minutes=12)
    for kind in (SyncKind.STATUS, SyncKind.ALERTS):
        done = [worker.done[kind][tenant_id] for tenant_id in tenants]
        assert max(done) - min(done) <= 1, (kind, done)
        assert min(done) >= 3, (kind, done)
    assert len(worker.order) >= 12 * 60 / TICK_SECONDS - 5  # none but at first


@pytest.mark.one_database
def test_an_alert_sync_waits_for_one_round_of_late_sweeps(worker: SteadyWorker) -> None:
    for number in range(MSPS):
        add_msp(number, status_sweep_minutes=1)
    lone = add_msp(99, status_sweep_minutes=0, alert_sync_minutes=5)
    worker.run(minutes=12)
    assert worker.done[SyncKind.ALERTS][lone] == 2  # after 5 and 10 minutes and a round each


@pytest.mark.one_database
def test_after_a_downtime_sweeps_come_first_and_the_latest_of_them_before_all(
    worker: SteadyWorker,
) -> None:
    tenants = [add_msp(n, status_sweep_minutes=5, alert_sync_minutes=1) for n in range(4)]
    asked, working = tenants[2], tenants[3]
    with tenant_scope(asked):
        requests.request_run(SyncKind.STATUS, "schedule")
    with tenant_scope(working):
        requests.request_run(SyncKind.ALERTS, "schedule")
        run, _ = requests.request_run(SyncKind.STATUS, "schedule")
        execution._claim(run.id)
    worker.line.connection.flushdb()  # what Redis held is gone
    with all_tenants(), transaction() as session:
        for late, tenant_id in enumerate(tenants):
            session.execute(
                update(Schedule)
                .where(Schedule.tenant_id == tenant_id, Schedule.kind == "status")
                .values(next_due_at=utc_now() + timedelta(minutes=5 - late))
            )
    worker.clock.shift(3600)
    with tenant_scope(working):
        change(run.id, heartbeat_at=utc_now() - LEASE_TIME - timedelta(minutes=1))
    worker.run(minutes=1.5)
    sweep, alerts = SyncKind.STATUS, SyncKind.ALERTS
    assert [kind for kind, _ in worker.order] == [sweep, sweep, sweep, sweep, alerts, alerts]
    served = [tenant_id for _, tenant_id in worker.order[:4]]
    assert {*served[:2]} == {asked, working}  # asked for before the downtime
    assert served[2:] == [tenants[1], tenants[0]]


def test_a_sweep_that_a_person_asked_for_counts_as_the_turn(msp: Msp, jobs: Jobs) -> None:
    msp.connect_untested(status_sweep_minutes=5)
    requests.request_run(SyncKind.STATUS, "button")
    with time_machine.travel(utc_now() + timedelta(minutes=5, seconds=1), tick=False):
        tick.tick()
        due = db.session.scalars(select(Schedule).where(Schedule.kind == "status")).one()
        assert due.next_due_at == utc_now() + timedelta(minutes=5)


def test_a_slow_sweep_misses_a_turn_and_a_late_one_does_not(msp: Msp, jobs: Jobs) -> None:
    msp.connect_untested(status_sweep_minutes=5)
    run, _ = requests.request_run(SyncKind.STATUS, "schedule")
    with time_machine.travel(utc_now() + timedelta(minutes=6), tick=False) as clock:
        tick.tick()
        execution._claim(run.id)
        clock.shift(60)
        change(run.id, heartbeat_at=utc_now())
        tick.tick()
        due = db.session.scalars(select(Schedule).where(Schedule.kind == "status")).one()
        assert due.next_due_at < utc_now()
        clock.shift(120)
        change(run.id, heartbeat_at=utc_now())
        tick.tick()
        db.session.refresh(due)
        assert due.next_due_at == utc_now() + timedelta(minutes=5)
