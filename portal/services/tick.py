"""What is due: the database says so, and any number of schedulers may ask it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, db, transaction
from portal.errors import PortalError
from portal.models import (
    ConnectionTest,
    Errand,
    Integration,
    Schedule,
    SyncRun,
    WebhookInstallation,
)
from portal.models.runs.sync_run import ACTIVE, RunStatus, SyncKind
from portal.scope import all_tenants, tenant_scope
from portal.services.audit.retention import prune_if_due
from portal.services.deliveries.agent_refreshes import (
    list_tenants_with_due_refreshes,
    start_due_refreshes,
)
from portal.services.deliveries.processing import list_tenants_with_due_deliveries
from portal.services.deliveries.refused_storms import start_owed_reconciliations
from portal.services.deliveries.storage import trim_bodies
from portal.services.errands.requests import free_lost_errands
from portal.services.events.delivery import list_subscribers_behind
from portal.services.handling.deciding import list_tenants_with_due_handlings
from portal.services.handling.sending import list_channels_behind
from portal.services.integrations.breaker import Breaker
from portal.services.integrations.preview_due import goes_on
from portal.services.integrations.schedules import next_due
from portal.services.integrations.server_health import ASKING, claim_try, may_try
from portal.services.integrations.sign_outs import list_tenants_with_due_sign_outs
from portal.services.integrations.sweep_intervals import fit_intervals
from portal.services.integrations.testing import free_lost_tests
from portal.services.leases import Work, waits
from portal.services.notices.detection import look_if_due
from portal.services.runs.execution import revive_abandoned_runs
from portal.services.runs.requests import enqueue_run, request_run
from portal.services.tickets.doing import list_helpdesks_behind
from portal.services.tickets.polling import list_helpdesks_to_poll
from portal.services.webhook.installation import release_lost_installations

log = logging.getLogger(__name__)

SCHEDULE = "schedule"
"""The trigger of the runs that are started here."""
UNCLAIMED_AFTER = timedelta(seconds=5)
"""What waits longer than this lost its job with Redis or a worker, or waits behind others."""


def tick() -> None:
    """Start what is due, and start again what was lost with a process or with Redis.

    Sweeps first, and of those the latest first: after a downtime all is due at once, and what
    the pages show grows old meanwhile.
    """
    fit_intervals()
    with all_tenants():
        lost = [*revive_abandoned_runs(), *_list_unclaimed_runs()]
        due = _list_due()
    for run in lost:
        if run.kind is SyncKind.STATUS:
            enqueue_run(run)
    for schedule in due:
        if _claim(schedule):
            _start(schedule)
    with all_tenants():
        jobs = _list_jobs()
        with_refreshes = list_tenants_with_due_refreshes()
    for name, *ids in jobs:
        if not queue.enqueue(name, *ids):
            break  # Redis is away, and need not be asked once for each
    for tenant_id in with_refreshes:
        with tenant_scope(tenant_id):
            start_due_refreshes()
    start_owed_reconciliations()
    for run in lost:
        if run.kind is not SyncKind.STATUS:
            enqueue_run(run)
    look_if_due()
    trim_bodies()
    prune_if_due()


def _list_jobs() -> list[tuple[Any, ...]]:
    """What waits beside runs, each a job's name and its ids. Across tenants."""
    free_lost_tests()
    release_lost_installations()
    free_lost_errands()
    tests = _list_unclaimed(ConnectionTest, ConnectionTest.created_at)
    installations = _list_unclaimed(WebhookInstallation, WebhookInstallation.requested_at)
    errands = _list_unclaimed(Errand, Errand.asked_at)
    return [
        *(("handle_alerts", tenant_id) for tenant_id in list_tenants_with_due_handlings()),
        *(("send_messages", *ids) for ids in list_channels_behind()),
        *(("do_tickets", *ids) for ids in list_helpdesks_behind()),
        *(("poll_tickets", *ids) for ids in list_helpdesks_to_poll()),
        *(("process_deliveries", tenant_id) for tenant_id in list_tenants_with_due_deliveries()),
        *(("sign_out", tenant_id) for tenant_id in list_tenants_with_due_sign_outs()),
        *(("deliver_events", *ids) for ids in list_subscribers_behind()),
        *(("test_connection", test.tenant_id, test.id) for test in tests),
        *(("install_webhook", row.tenant_id, row.id) for row in installations),
        *(("do_errand", errand.tenant_id, errand.id) for errand in errands),
    ]


def _list_due() -> list[Any]:
    """As plain values: a mapped row would be read again, and no longer be due, when claimed."""
    table, its = Schedule, Integration
    rows = db.session.execute(
        select(
            table.id,
            table.tenant_id,
            table.integration_id,
            table.kind,
            table.every_seconds,
            table.next_due_at,
            SyncRun.status,
            SyncRun.started_at,
            its.failures_in_row,
            its.failing_since,
            its.breaker_until,
        )
        .join(its, its.id == table.integration_id)
        .outerjoin(SyncRun, _is_last_of(table))
        .where(table.next_due_at <= utc_now(), or_(table.kind.not_in(ASKING), may_try()), goes_on())
        .order_by(table.kind != SyncKind.STATUS, table.next_due_at)
    )
    return [row for row in rows if not _is_late(row)]


def _is_last_of(table: type[Schedule]) -> ColumnElement[bool]:
    """The run that the schedule started last, while it is not over."""
    return and_(
        SyncRun.integration_id == table.integration_id,
        SyncRun.kind == table.kind,
        SyncRun.status.in_(ACTIVE),
        SyncRun.trigger == SCHEDULE,
    )


def _is_late(row: Any) -> bool:
    """Whether its last run had to wait for a worker so long that it is due again already.

    Then it stays due until that run is over. Were it put off by an interval, those behind in
    the queue would miss every other turn, and those before them none. A run that has been at
    work for long is slow, not late: it misses a turn.
    """
    if row.status is RunStatus.RUNNING:
        return bool(utc_now() - row.started_at < timedelta(seconds=row.every_seconds / 2))
    return row.status is not None


def _claim(schedule: Any) -> bool:
    """Ours, if the row still says what we read: whoever changes it first starts the work."""
    breaker = Breaker(schedule.failures_in_row, schedule.failing_since, schedule.breaker_until)
    with tenant_scope(schedule.tenant_id), transaction() as session:
        if schedule.kind in ASKING and not claim_try(session, schedule.integration_id, breaker):
            return False  # another kind of work tries
        return changed_one(
            session,
            update(Schedule)
            .where(Schedule.id == schedule.id, Schedule.next_due_at == schedule.next_due_at)
            .values(next_due_at=next_due(schedule.every_seconds, schedule.integration_id)),
        )


def _start(schedule: Any) -> None:
    if schedule.kind in queue.JOBS:
        queue.enqueue(schedule.kind, schedule.tenant_id, schedule.integration_id)
        return
    with tenant_scope(schedule.tenant_id):
        try:
            request_run(SyncKind(schedule.kind), trigger=SCHEDULE)
        except PortalError as error:
            log.info("Scheduled %s of tenant %s: %s", schedule.kind, schedule.tenant_id, error)


def _list_unclaimed_runs() -> list[SyncRun]:
    return list(
        db.session.scalars(
            select(SyncRun)
            .where(
                SyncRun.status == RunStatus.QUEUED,
                SyncRun.created_at < utc_now() - UNCLAIMED_AFTER,
            )
            .order_by(SyncRun.created_at)
        )
    )


def _list_unclaimed(table: type[Work], asked_at: InstrumentedAttribute[datetime]) -> Sequence[Work]:
    query = select(table).where(waits(table), asked_at < utc_now() - UNCLAIMED_AFTER)
    return db.session.scalars(query).all()
