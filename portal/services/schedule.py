"""What is due: the database says so, and any number of schedulers may ask it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from portal import queue
from portal.db import db, transaction, utc_now
from portal.errors import PortalError
from portal.models import ConnectionTest, Schedule, SyncRun
from portal.models.sync_run import RunStatus, SyncKind
from portal.scope import all_tenants, tenant_scope
from portal.services.agent_refreshes import list_tenants_with_due_refreshes, start_due_refreshes
from portal.services.connection_tests import end_lost_tests
from portal.services.deliveries import list_tenants_with_due_deliveries
from portal.services.event_delivery import list_subscribers_behind
from portal.services.schedules import next_due
from portal.services.sync_runs import enqueue_run, request_run, revive_abandoned_runs
from portal.services.webhook_installation import end_lost_deeds
from portal.sync.status import is_device_sync_working

log = logging.getLogger(__name__)

UNCLAIMED_AFTER = timedelta(seconds=30)
"""A run that waits longer than this lost its job with Redis, or waits behind others."""


def tick() -> None:
    """Start what is due, and start again what was lost with a process or with Redis."""
    with all_tenants():
        due = _list_due()
    for schedule in due:
        if _claim(schedule):
            _start(schedule)
    with all_tenants():
        end_lost_tests()
        end_lost_deeds()
        revived = revive_abandoned_runs()
        waiting = _list_unclaimed_runs()
        tests = _list_unclaimed_tests()
        with_deliveries = list_tenants_with_due_deliveries()
        with_refreshes = list_tenants_with_due_refreshes()
        behind = list_subscribers_behind()
    for tenant_id in with_deliveries:
        if not queue.enqueue("process_deliveries", tenant_id):
            break  # Redis is away, and need not be asked once for each tenant
    for tenant_id in with_refreshes:
        with tenant_scope(tenant_id):
            start_due_refreshes()
    for tenant_id, subscriber_id in behind:
        queue.enqueue("deliver_events", tenant_id, subscriber_id)
    for run in [*revived, *waiting]:
        enqueue_run(run)
    for test in tests:
        queue.enqueue("test_connection", test.tenant_id, test.id)


def _list_due() -> Sequence[Any]:
    """As plain values: a mapped row would be read again, and be due no more, when claimed."""
    table = Schedule
    return db.session.execute(
        select(
            table.id,
            table.tenant_id,
            table.integration_id,
            table.kind,
            table.every_seconds,
            table.next_due_at,
        )
        .where(table.next_due_at <= utc_now())
        .order_by(table.next_due_at)
    ).all()


def _claim(schedule: Any) -> bool:
    """Ours, if the row still says what we read: whoever changes it first starts the work."""
    with tenant_scope(schedule.tenant_id), transaction() as session:
        result = session.execute(
            update(Schedule)
            .where(Schedule.id == schedule.id, Schedule.next_due_at == schedule.next_due_at)
            .values(next_due_at=next_due(schedule.every_seconds, schedule.integration_id))
            .execution_options(synchronize_session=False)
        )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]


def _start(schedule: Any) -> None:
    if schedule.kind in queue.JOBS:
        queue.enqueue(schedule.kind, schedule.tenant_id, schedule.integration_id)
        return
    with tenant_scope(schedule.tenant_id):
        try:
            if schedule.kind == SyncKind.STATUS and is_device_sync_working(schedule.integration_id):
                return  # it reads the status too
            request_run(SyncKind(schedule.kind), trigger="schedule")
        except PortalError as error:
            log.info("Scheduled %s of tenant %s: %s", schedule.kind, schedule.tenant_id, error)


def _list_unclaimed_runs() -> list[SyncRun]:
    return list(
        db.session.scalars(
            select(SyncRun).where(
                SyncRun.status == RunStatus.QUEUED,
                SyncRun.created_at < utc_now() - UNCLAIMED_AFTER,
            )
        )
    )


def _list_unclaimed_tests() -> list[ConnectionTest]:
    return list(
        db.session.scalars(
            select(ConnectionTest).where(
                ConnectionTest.ok.is_(None),
                ConnectionTest.started_at.is_(None),
                ConnectionTest.created_at < utc_now() - UNCLAIMED_AFTER,
            )
        )
    )
